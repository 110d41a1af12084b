#pragma once

#include <algorithm>
#include <cmath>

#include "backward.hpp"

namespace attention::dot_product {

/// What one query adds to all three gradients of its head, in plain loops: what the rungs "loops" and
/// "openmp" do for every row.
inline void backward_row(const BackwardProblem& p, Index head, Index i, BackwardOutput& out) {
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const float* query = p.query_of(head) + i * dim;
  const float* output = p.output_of(head) + i * value_dim;
  const float* gradient = p.output_gradient_of(head) + i * value_dim;
  float* query_gradient = out.query_gradient_of(head) + i * dim;

  // D_i = dO_i · O_i
  float delta = 0;
  for (Index c = 0; c < value_dim; ++c) delta += gradient[c] * output[c];

  const KeyRange seen = p.keys_of(i);
  for (Index j = seen.first; j < seen.last; ++j) {
    const float* key = p.key_of(head) + j * dim;
    const float* value = p.value_of(head) + j * value_dim;
    float* key_gradient = out.key_gradient_of(head) + j * dim;
    float* value_gradient = out.value_gradient_of(head) + j * value_dim;

    // P_ij = exp(S_ij − lse_i), dP_ij = dO_i · v_j
    float score = 0;
    for (Index c = 0; c < dim; ++c) score += query[c] * key[c];
    const float weight = std::exp(score * p.scale - p.lse_of(head)[i]);
    float weight_gradient = 0;
    for (Index c = 0; c < value_dim; ++c) weight_gradient += gradient[c] * value[c];

    // dS_ij = P_ij (dP_ij − D_i), with the scale for all that comes after
    const float score_gradient = p.scale * weight * (weight_gradient - delta);
    for (Index c = 0; c < value_dim; ++c) value_gradient[c] += weight * gradient[c];
    for (Index c = 0; c < dim; ++c) query_gradient[c] += score_gradient * key[c];
    for (Index c = 0; c < dim; ++c) key_gradient[c] += score_gradient * query[c];
  }
}

/// All gradients of one head are 0.
inline void clear_gradients(const BackwardProblem& p, Index head, BackwardOutput& out) {
  std::fill_n(out.query_gradient_of(head), p.queries() * p.dim(), 0.F);
  std::fill_n(out.key_gradient_of(head), p.keys() * p.dim(), 0.F);
  std::fill_n(out.value_gradient_of(head), p.keys() * p.value_dim(), 0.F);
}

}  // namespace attention::dot_product
