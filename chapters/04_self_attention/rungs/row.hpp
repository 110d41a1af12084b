#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "rungs/projection.hpp"

namespace attention::self_attention {

/// c = a · B, row by row in plain loops: row i of the result is Σ_k a_ik · (row k of B).
inline void multiply_row(const float* a, Index depth, const float* b, Index columns, float* c) {
  std::fill(c, c + columns, 0.F);
  for (Index k = 0; k < depth; ++k)
    for (Index j = 0; j < columns; ++j) c[j] += a[k] * b[k * columns + j];
}

/// Attention of one query over the keys it sees, in plain loops: what the rungs "loops" and "openmp" do for every row. Keys
/// that are masked are never looked at.
inline void attend_row(const Problem& p, const Projected& x, float slope, Index b, Index h, Index i, Output& out) {
  const Index dim = p.dim();
  const Index stride = p.heads() * dim;
  const KeyRange seen = p.keys_of(i);
  const float scale = static_cast<float>(p.scale());
  const float* query = x.query.data() + (b * p.queries() + i) * stride + h * dim;
  const float* key = x.key + b * p.n() * stride + h * dim;
  const float* value = x.value + b * p.n() * stride + h * dim;
  float* weights = out.weights_of(b, h, i);
  float* output = out.output_of(b, h, i);

  // scores = scale · q · k + bias, and their maximum
  float largest = -std::numeric_limits<float>::infinity();
  for (Index j = seen.first; j < seen.last; ++j) {
    float score = 0;
    for (Index c = 0; c < dim; ++c) score += query[c] * key[j * stride + c];
    score = score * scale + distance_bias(slope, j, p.position(i));
    weights[j - seen.first] = score;
    largest = std::max(largest, score);
  }
  // −inf − (−inf) is NaN: with every score −inf the row becomes 0/0 instead, as in the reference.
  if (largest == -std::numeric_limits<float>::infinity()) largest = 0;

  // weights = softmax(scores)
  const Index count = seen.last - seen.first;
  float total = 0;
  for (Index t = 0; t < count; ++t) {
    weights[t] = std::exp(weights[t] - largest);
    total += weights[t];
  }
  for (Index t = 0; t < count; ++t) weights[t] /= total;
  std::fill(weights + count, weights + out.span(), 0.F);
  out.lse_of(b, h)[i] = largest + std::log(total);

  // output = weights · V; a row that sees nothing stays 0
  std::fill(output, output + dim, 0.F);
  for (Index t = 0; t < count; ++t)
    for (Index c = 0; c < dim; ++c) output[c] += weights[t] * value[(seen.first + t) * stride + c];
}

}  // namespace attention::self_attention
