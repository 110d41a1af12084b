#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "additive.hpp"

namespace attention::additive {

/// weights = softmax(scores) of row i, in place, and output = weights · V, in plain loops: what the rungs "loops", "hoisted"
/// and "openmp" do once the scores of a row are there.
inline void finish_row(const Problem& p, Index i, Output& out) {
  const Index keys = p.keys();
  const Index value_dim = p.value_dim();
  float* weights = out.weights.data() + i * keys;
  float* output = out.output.data() + i * value_dim;

  float largest = *std::max_element(weights, weights + keys);
  // −inf − (−inf) is NaN: with every score −inf the row becomes 0/0 instead, as in the reference.
  if (largest == -std::numeric_limits<float>::infinity()) largest = 0;
  float total = 0;
  for (Index j = 0; j < keys; ++j) {
    weights[j] = std::exp(weights[j] - largest);
    total += weights[j];
  }
  for (Index j = 0; j < keys; ++j) weights[j] /= total;
  out.lse.data()[i] = largest + std::log(total);

  std::fill(output, output + value_dim, 0.F);
  for (Index j = 0; j < keys; ++j)
    for (Index c = 0; c < value_dim; ++c) output[c] += weights[j] * p.value.data()[j * value_dim + c];
}

/// matrix · x: one row of Q or K through W or U.
inline void project(const float* matrix, Index hidden, Index dim, const float* x, float* to) {
  for (Index h = 0; h < hidden; ++h) {
    float sum = 0;
    for (Index c = 0; c < dim; ++c) sum += matrix[h * dim + c] * x[c];
    to[h] = sum;
  }
}

/// Scores of row i from the projections, a [hidden] of its query and b [keys, hidden] of all keys, and what follows from them.
inline void attend_row(const Problem& p, Index i, const float* a, const float* b, Output& out) {
  const Index hidden = p.hidden();
  float* scores = out.weights.data() + i * p.keys();
  for (Index j = 0; j < p.keys(); ++j) {
    float score = 0;
    for (Index h = 0; h < hidden; ++h) score += p.v.data()[h] * std::tanh(a[h] + b[j * hidden + h]);
    scores[j] = score;
  }
  finish_row(p, i, out);
}

}  // namespace attention::additive
