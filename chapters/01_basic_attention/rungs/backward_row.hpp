#pragma once

#include <cmath>

#include "rungs/backward_parts.hpp"
#include "rungs/row.hpp"

namespace attention::additive {

/// What one query adds to the gradients, over the keys first … last, in plain loops. `a` is its projection and b [keys, hidden]
/// those of all keys; `t` holds hidden floats; da, db and dv come without v.
inline void add_row(const BackwardProblem& problem, Index i, Index first, Index last, const float* a, const float* b, float* t,
                    float* da, float* db, float* dv, BackwardOutput& out) {
  const Problem& p = problem.inputs;
  const Index hidden = p.hidden();
  const Index value_dim = p.value_dim();
  const float* gradient = problem.output_gradient.data() + i * value_dim;
  float delta = 0;
  for (Index c = 0; c < value_dim; ++c) delta += gradient[c] * problem.output.data()[i * value_dim + c];
  for (Index j = first; j < last; ++j) {
    float score = 0;
    for (Index h = 0; h < hidden; ++h) {
      t[h] = std::tanh(a[h] + b[j * hidden + h]);
      score += p.v.data()[h] * t[h];
    }
    const float weight = std::exp(score - problem.lse.data()[i]);
    float weight_gradient = 0;
    for (Index c = 0; c < value_dim; ++c) {
      weight_gradient += gradient[c] * p.value.data()[j * value_dim + c];
      out.value_gradient.data()[j * value_dim + c] += weight * gradient[c];
    }
    const float score_gradient = weight * (weight_gradient - delta);
    for (Index h = 0; h < hidden; ++h) {
      const float g = score_gradient * (1 - t[h] * t[h]);
      da[h] += g;
      db[j * hidden + h] += g;
      dv[h] += score_gradient * t[h];
    }
  }
}

}  // namespace attention::additive
