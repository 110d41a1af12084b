#include "additive_scores.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "autograd/arithmetic.hpp"
#include "autograd/lanes.hpp"

namespace attention::additive {

namespace {

using autograd::for_lanes;
using autograd::Lanes;
using autograd::LanesOf;
using autograd::load_lanes;
using autograd::store_lanes;
using autograd::tanh_of;
using tensor::ArrayOf;
using tensor::Index;

template <class Real>
Real score_of(const Real* q, const Real* k, const Real* v, Index units) {
  LanesOf<Real> sum{};
  for_lanes<Real>(units, [&](Index at, auto count) __attribute__((always_inline)) {
    // Lanes behind the last unit hold 0, and so does v there.
    sum += load_lanes(v + at, count) * tanh_of(load_lanes(q + at, count) + load_lanes(k + at, count));
  });
  Real lanes[Lanes<Real>::count];
  store_lanes<Real>(lanes, sum);
  Real total = 0;
  for (const Real lane : lanes) total += lane;
  return total;
}

/// What a score's gradient g gives to q, k (v (1 − tanh²) each) and v (tanh).
template <class Real>
void add_gradients(Real g, const Real* q, const Real* k, const Real* v, Index units, Real* to_q, Real* to_k, Real* to_v) {
  for_lanes<Real>(units, [&](Index at, auto count) __attribute__((always_inline)) {
    const LanesOf<Real> t = tanh_of(load_lanes(q + at, count) + load_lanes(k + at, count));
    const LanesOf<Real> factor = autograd::all_lanes<Real>(g);
    const LanesOf<Real> slope = factor * load_lanes(v + at, count) * (autograd::all_lanes<Real>(1) - t * t);
    store_lanes<Real>(to_q + at, load_lanes<Real>(to_q + at, count) + slope, count);
    store_lanes<Real>(to_k + at, load_lanes<Real>(to_k + at, count) + slope, count);
    store_lanes<Real>(to_v + at, load_lanes<Real>(to_v + at, count) + factor * t, count);
  });
}

}  // namespace

template <class Real>
Variable<Real> additive_scores(const Variable<Real>& queries, const Variable<Real>& keys, const Variable<Real>& v) {
  if (queries.rank() != 3 || keys.rank() != 3 || v.rank() != 1 || queries.extent(0) != keys.extent(0) || queries.extent(2) != v.extent(0) ||
      keys.extent(2) != v.extent(0))
    throw std::invalid_argument(fmt::format("additive scores take queries and keys [batch, …, units] and v [units], not {}, {} and {}",
                                            autograd::as_text(queries.shape()), autograd::as_text(keys.shape()), autograd::as_text(v.shape())));
  const Index batch = queries.extent(0), n = queries.extent(1), m = keys.extent(1), units = v.extent(0);
  ArrayOf<Real> scores = tensor::empty_array<Real>({static_cast<std::size_t>(batch), static_cast<std::size_t>(n), static_cast<std::size_t>(m)});
  for (Index b = 0; b < batch; ++b)
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < m; ++j)
        scores.data()[(b * n + i) * m + j] = score_of(queries.data() + (b * n + i) * units, keys.data() + (b * m + j) * units, v.data(), units);
  return queries.tape().record(std::move(scores), {queries, keys, v}, [=](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    // Of a constant nobody reads the gradient; it is made all the same, so that there is one loop.
    Real* to_queries = queries.gradient();
    Real* to_keys = keys.gradient();
    Real* to_v = v.gradient();
    for (Index b = 0; b < batch; ++b)
      for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < m; ++j) {
          const Real g = gradient.data()[(b * n + i) * m + j];
          if (g == Real{0}) continue;  // masked
          const Index q = (b * n + i) * units, k = (b * m + j) * units;
          add_gradients(g, queries.data() + q, keys.data() + k, v.data(), units, to_queries + q, to_keys + k, to_v);
        }
  });
}

template Variable<float> additive_scores(const Variable<float>&, const Variable<float>&, const Variable<float>&);
template Variable<double> additive_scores(const Variable<double>&, const Variable<double>&, const Variable<double>&);

}  // namespace attention::additive
