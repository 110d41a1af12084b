// Exercise 1, formula: the equations of additive attention, as plain loops, one thread.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

namespace {

/// vᵀ tanh(W q + U k)
float score_of(const Problem& p, const float* query, const float* key) {
  float score = 0;
  for (Index h = 0; h < p.hidden(); ++h) {
    float a = 0;
    for (Index c = 0; c < p.query_dim(); ++c) a += p.W.data()[h * p.query_dim() + c] * query[c];
    float b = 0;
    for (Index c = 0; c < p.key_dim(); ++c) b += p.U.data()[h * p.key_dim() + c] * key[c];
    score += p.v.data()[h] * std::tanh(a + b);
  }
  return score;
}

}  // namespace

void my_formula(const Problem& p, Output& out) {
  prepare(p, out, true);
  for (Index i = 0; i < p.queries(); ++i) {
    float* weights = out.weights.data() + i * p.keys();
    float largest = -std::numeric_limits<float>::infinity();
    for (Index j = 0; j < p.keys(); ++j) {
      weights[j] = score_of(p, p.query.data() + i * p.query_dim(), p.key.data() + j * p.key_dim());
      largest = std::max(largest, weights[j]);
    }
    float total = 0;
    for (Index j = 0; j < p.keys(); ++j) {
      weights[j] = std::exp(weights[j] - largest);
      total += weights[j];
    }
    for (Index j = 0; j < p.keys(); ++j) weights[j] /= total;
    out.lse.data()[i] = largest + std::log(total);

    float* output = out.output.data() + i * p.value_dim();
    std::fill(output, output + p.value_dim(), 0.F);
    for (Index j = 0; j < p.keys(); ++j)
      for (Index c = 0; c < p.value_dim(); ++c) output[c] += weights[j] * p.value.data()[j * p.value_dim() + c];
  }
}

}  // namespace attention::additive
