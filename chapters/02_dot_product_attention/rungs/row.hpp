#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "dot_product.hpp"

namespace attention::dot_product {

/// Attention of one query, in plain loops: what the rungs "loops" and "openmp" do for every row.
inline void attend_row(const Problem& p, Index b, Index h, Index i, Output& out) {
  const Index keys = p.keys();
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const float* query = p.query_of(b, h) + i * dim;
  const float* key = p.key_of(b, h);
  const float* value = p.value_of(b, h);
  float* weights = out.weights_of(b, h) + i * keys;
  float* output = out.output_of(b, h) + i * value_dim;
  const KeyRange seen = p.keys_of(i);

  std::fill(output, output + value_dim, 0.F);
  std::fill(weights, weights + keys, 0.F);
  // scores = scale · q Kᵀ, and their maximum
  float largest = -std::numeric_limits<float>::infinity();
  if (seen.empty()) {
    out.lse_of(b, h)[i] = largest;
    return;
  }
  for (Index j = seen.first; j < seen.last; ++j) {
    float score = 0;
    for (Index c = 0; c < dim; ++c) score += query[c] * key[j * dim + c];
    weights[j] = score * p.scale;
    largest = std::max(largest, weights[j]);
  }
  // −inf − (−inf) is NaN: with every score −inf the row becomes 0/0 instead, as in the reference.
  if (largest == -std::numeric_limits<float>::infinity()) largest = 0;

  // weights = softmax(scores)
  float total = 0;
  for (Index j = seen.first; j < seen.last; ++j) {
    weights[j] = std::exp(weights[j] - largest);
    total += weights[j];
  }
  for (Index j = seen.first; j < seen.last; ++j) weights[j] /= total;
  out.lse_of(b, h)[i] = largest + std::log(total);

  // output = weights · V
  for (Index j = seen.first; j < seen.last; ++j)
    for (Index c = 0; c < value_dim; ++c) output[c] += weights[j] * value[j * value_dim + c];
}

}  // namespace attention::dot_product
