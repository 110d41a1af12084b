#include "autograd/functions.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/lanes.hpp"

namespace attention::autograd {

namespace {

/// f of each element; its derivative is slope(x, f(x)).
template <class Real, class F, class Slope>
Variable<Real> apply(const Variable<Real>& x, F f, Slope slope) {
  ArrayOf<Real> result = tensor::empty_array<Real>(x.shape());
  const Real* from = x.data();
  Real* to = result.data();
  for_lanes<Real>(x.size(), [=](Index at, auto count) { store_lanes<Real>(to + at, f(load_lanes(from + at, count)), count); });
  return x.tape().record(std::move(result), {x}, [x, slope](const ArrayOf<Real>& y, ArrayOf<Real>& gradient) {
    const Real* input = x.data();
    const Real* output = y.data();
    const Real* g = gradient.data();
    Real* into = x.gradient();
    for (Index i = 0, n = x.size(); i < n; ++i) into[i] += g[i] * slope(input[i], output[i]);
  });
}

/// A function of the standard library, lane by lane.
template <class Real, class F>
auto by_lane(F f) {
  return [f](LanesOf<Real> x) {
    if constexpr (Lanes<Real>::count == 1) {
      return f(x);
    } else {
      for (Index i = 0; i < Lanes<Real>::count; ++i) x[i] = f(x[i]);
      return x;
    }
  };
}

}  // namespace

template <class Real>
Variable<Real> tanh(const Variable<Real>& x) {
  return apply(x, [](LanesOf<Real> v) { return tanh_of(v); }, [](Real, Real y) { return 1 - y * y; });
}

template <class Real>
Variable<Real> sigmoid(const Variable<Real>& x) {
  return apply(x, [](LanesOf<Real> v) { return sigmoid_of(v); }, [](Real, Real y) { return y * (1 - y); });
}

template <class Real>
Variable<Real> relu(const Variable<Real>& x) {
  return apply(x, [](LanesOf<Real> v) { return v > LanesOf<Real>{} ? v : LanesOf<Real>{}; }, [](Real v, Real) { return v > 0 ? Real{1} : Real{0}; });
}

template <class Real>
Variable<Real> hard_swish(const Variable<Real>& x) {
  return apply(x, by_lane<Real>([](Real v) { return v * std::min(std::max(v + 3, Real{0}), Real{6}) / 6; }),
               [](Real v, Real) { return v < -3 ? Real{0} : v > 3 ? Real{1} : (2 * v + 3) / 6; });
}

template <class Real>
Variable<Real> exp(const Variable<Real>& x) {
  return apply(x, by_lane<Real>([](Real v) { return std::exp(v); }), [](Real, Real y) { return y; });
}

template <class Real>
Variable<Real> log(const Variable<Real>& x) {
  return apply(x, by_lane<Real>([](Real v) { return std::log(v); }), [](Real v, Real) { return 1 / v; });
}

template <class Real>
Variable<Real> sqrt(const Variable<Real>& x) {
  return apply(x, by_lane<Real>([](Real v) { return std::sqrt(v); }), [](Real, Real y) { return 1 / (2 * y); });
}

template <class Real>
Variable<Real> dropout(const Variable<Real>& x, double rate) {
  Tape<Real>& tape = x.tape();
  if (tape.mode() == Mode::evaluation || rate <= 0) return x;
  ArrayOf<Real> kept = tensor::empty_array<Real>(x.shape());
  const auto factor = static_cast<Real>(1 / (1 - rate));
  for (Real& k : kept) k = tape.random().uniform() < rate ? Real{0} : factor;
  ArrayOf<Real> result = x.value();
  for (Index i = 0, n = x.size(); i < n; ++i) result.data()[i] *= kept.data()[i];
  return tape.record(std::move(result), {x}, [x, kept = std::move(kept)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = x.gradient();
    for (Index i = 0, n = x.size(); i < n; ++i) into[i] += gradient.data()[i] * kept.data()[i];
  });
}

#define ATTENTION_DEFINE(Real)                              \
  template Variable<Real> tanh(const Variable<Real>&);      \
  template Variable<Real> sigmoid(const Variable<Real>&);   \
  template Variable<Real> relu(const Variable<Real>&);      \
  template Variable<Real> hard_swish(const Variable<Real>&); \
  template Variable<Real> exp(const Variable<Real>&);       \
  template Variable<Real> log(const Variable<Real>&);       \
  template Variable<Real> sqrt(const Variable<Real>&);      \
  template Variable<Real> dropout(const Variable<Real>&, double);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
