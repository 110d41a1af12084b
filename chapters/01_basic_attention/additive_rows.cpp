#include "additive_rows.hpp"

#include <algorithm>
#include <cmath>

#include "simd/tanh.hpp"

namespace attention::additive {

namespace {

Index valid(const ProjectedRows& r) { return r.valid_keys < 0 ? r.keys : std::min(r.valid_keys, r.keys); }

/// Calls body(h, count, t) with t = tanh(a + b) for the hidden units h … h + count, a vector at a time; the last may be short.
template <class Body>
[[gnu::always_inline]] inline void for_tanhs(const float* a, const float* b, Index hidden, Body body) {
  Index h = 0;
  for (; h + simd::lanes <= hidden; h += simd::lanes) body(h, Index{simd::lanes}, simd::tanh(simd::load(a + h) + simd::load(b + h)));
  if (h == hidden) return;
  alignas(64) float end[2][simd::lanes] = {};
  std::copy(a + h, a + hidden, end[0]);
  std::copy(b + h, b + hidden, end[1]);
  body(h, hidden - h, simd::tanh(simd::load(end[0]) + simd::load(end[1])));
}

simd::Float load_some(const float* from, Index count) {
  if (count == simd::lanes) return simd::load(from);
  alignas(64) float some[simd::lanes] = {};
  std::copy_n(from, count, some);
  return simd::load(some);
}

void add_some(float* to, Index count, simd::Float x) {
  if (count == simd::lanes) return simd::store(to, simd::load(to) + x);
  for (Index i = 0; i < count; ++i) to[i] += x[i];
}

}  // namespace

void attend_rows(const ProjectedRows& r, float* output, float* weights) {
  const Index keys = valid(r);
  for (Index i = 0; i < r.queries; ++i) {
    float* row = weights + i * r.keys;
    float* out = output + i * r.value_dim;
    std::fill(row + keys, row + r.keys, 0.F);
    std::fill(out, out + r.value_dim, 0.F);
    if (keys == 0) continue;
    for (Index j = 0; j < keys; ++j) {
      simd::Float score = {};
      for_tanhs(r.projected_query + i * r.hidden, r.projected_key + j * r.hidden, r.hidden,
                [&](Index h, Index count, simd::Float t) { score += load_some(r.v + h, count) * t; });
      row[j] = simd::sum(score);
    }
    float largest = *std::max_element(row, row + keys);
    // −inf − (−inf) is NaN: with every score −inf the row becomes 0/0 instead, as in the reference.
    if (largest == -std::numeric_limits<float>::infinity()) largest = 0;
    float total = 0;
    for (Index j = 0; j < keys; ++j) total += row[j] = std::exp(row[j] - largest);
    for (Index j = 0; j < keys; ++j) {
      row[j] /= total;
      for (Index c = 0; c < r.value_dim; ++c) out[c] += row[j] * r.value[j * r.value_dim + c];
    }
  }
}

void add_rows_gradients(const ProjectedRows& r, const float* weights, const float* output_gradient, const float* weights_gradient,
                        const ProjectedRowsGradients& to) {
  const Index keys = valid(r);
  tensor::Buffer dS(static_cast<std::size_t>(keys));
  for (Index i = 0; i < r.queries; ++i) {
    const float* P = weights + i * r.keys;
    const float* dO = output_gradient + i * r.value_dim;
    float delta = 0;
    for (Index j = 0; j < keys; ++j) {
      float& dP = dS[static_cast<std::size_t>(j)];
      dP = weights_gradient ? weights_gradient[i * r.keys + j] : 0;
      for (Index c = 0; c < r.value_dim; ++c) {
        dP += dO[c] * r.value[j * r.value_dim + c];
        to.value[j * r.value_dim + c] += P[j] * dO[c];
      }
      delta += P[j] * dP;
    }
    for (Index j = 0; j < keys; ++j) {
      const simd::Float dS_j = simd::broadcast(P[j] * (dS[static_cast<std::size_t>(j)] - delta));
      for_tanhs(r.projected_query + i * r.hidden, r.projected_key + j * r.hidden, r.hidden, [&](Index h, Index count, simd::Float t) {
        const simd::Float g = dS_j * load_some(r.v + h, count) * (simd::broadcast(1.F) - t * t);
        add_some(to.projected_query + i * r.hidden + h, count, g);
        add_some(to.projected_key + j * r.hidden + h, count, g);
        add_some(to.v + h, count, dS_j * t);
      });
    }
  }
}

}  // namespace attention::additive
