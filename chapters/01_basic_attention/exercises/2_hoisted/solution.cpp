// Exercise 2, hoisted: W q and U k are computed once for each query and key, not once for each pair.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

namespace {

/// weight · row for each row: [rows × hidden].
std::vector<float> project(const Tensor<2>& rows, const Tensor<2>& weight) {
  const Index dim = tensor::extent(rows, 1);
  const Index hidden = tensor::extent(weight, 0);
  std::vector<float> all(static_cast<std::size_t>(tensor::extent(rows, 0) * hidden));
  for (Index i = 0; i < tensor::extent(rows, 0); ++i)
    for (Index h = 0; h < hidden; ++h) {
      float sum = 0;
      for (Index c = 0; c < dim; ++c) sum += weight.data()[h * dim + c] * rows.data()[i * dim + c];
      all[static_cast<std::size_t>(i * hidden + h)] = sum;
    }
  return all;
}

}  // namespace

void my_hoisted(const Problem& p, Output& out) {
  prepare(p, out, true);
  const std::vector<float> query = project(p.query, p.W);
  const std::vector<float> key = project(p.key, p.U);
  for (Index i = 0; i < p.queries(); ++i) {
    const float* a = query.data() + i * p.hidden();
    float* weights = out.weights.data() + i * p.keys();
    float largest = -std::numeric_limits<float>::infinity();
    for (Index j = 0; j < p.keys(); ++j) {
      const float* b = key.data() + j * p.hidden();
      float score = 0;
      for (Index h = 0; h < p.hidden(); ++h) score += p.v.data()[h] * std::tanh(a[h] + b[h]);
      weights[j] = score;
      largest = std::max(largest, score);
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
