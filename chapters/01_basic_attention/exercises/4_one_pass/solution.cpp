// Exercise 4, one_pass: the online softmax by tiles of 32 keys; neither scores nor weights of a row are stored.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

namespace {

constexpr Index tile = 32;

/// weight · row for each row: [rows × hidden].
std::vector<float> project(const Tensor<2>& rows, const Tensor<2>& weight) {
  const Index dim = tensor::extent(rows, 1);
  const Index hidden = tensor::extent(weight, 0);
  std::vector<float> all(static_cast<std::size_t>(tensor::extent(rows, 0) * hidden));
#pragma omp parallel for
  for (Index i = 0; i < tensor::extent(rows, 0); ++i)
    for (Index h = 0; h < hidden; ++h) {
      float sum = 0;
      for (Index c = 0; c < dim; ++c) sum += weight.data()[h * dim + c] * rows.data()[i * dim + c];
      all[static_cast<std::size_t>(i * hidden + h)] = sum;
    }
  return all;
}

}  // namespace

void my_one_pass(const Problem& p, Output& out) {
  prepare(p, out, false);
  const std::vector<float> query = project(p.query, p.W);
  const std::vector<float> key = project(p.key, p.U);
#pragma omp parallel for
  for (Index i = 0; i < p.queries(); ++i) {
    const float* a = query.data() + i * p.hidden();
    float* output = out.output.data() + i * p.value_dim();
    std::fill(output, output + p.value_dim(), 0.F);
    float m_i = -std::numeric_limits<float>::infinity();  // the maximum so far
    float l_i = 0;                                        // the sum of exp(score − m_i) so far
    for (Index first = 0; first < p.keys(); first += tile) {
      const Index keys = std::min(tile, p.keys() - first);
      float scores[tile];
      float m_new = m_i;
      for (Index j = 0; j < keys; ++j) {
        const float* b = key.data() + (first + j) * p.hidden();
        float score = 0;
        for (Index h = 0; h < p.hidden(); ++h) score += p.v.data()[h] * std::tanh(a[h] + b[h]);
        scores[j] = score;
        m_new = std::max(m_new, score);
      }
      const float correction = std::exp(m_i - m_new);
      l_i *= correction;
      for (Index c = 0; c < p.value_dim(); ++c) output[c] *= correction;
      m_i = m_new;
      for (Index j = 0; j < keys; ++j) {
        const float weight = std::exp(scores[j] - m_i);
        l_i += weight;
        for (Index c = 0; c < p.value_dim(); ++c) output[c] += weight * p.value.data()[(first + j) * p.value_dim() + c];
      }
    }
    for (Index c = 0; c < p.value_dim(); ++c) output[c] /= l_i;
    out.lse.data()[i] = m_i + std::log(l_i);
  }
}

}  // namespace attention::additive
