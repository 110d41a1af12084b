// Exercise 3, parallel: the rows are shared among the threads, under a causal mask.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "multi_head.hpp"

namespace attention::multi_head {

namespace {

/// X W[h] of one sequence: [n × dim].
std::vector<float> project(const Problem& p, Index b, const Tensor<3>& weight, Index h) {
  const float* W = weight.data() + h * p.width() * p.dim();
  std::vector<float> to(static_cast<std::size_t>(p.n() * p.dim()));
  for (Index i = 0; i < p.n(); ++i)
    for (Index k = 0; k < p.width(); ++k) {
      const float x = p.input_of(b)[i * p.width() + k];
      for (Index c = 0; c < p.dim(); ++c) to[static_cast<std::size_t>(i * p.dim() + c)] += x * W[k * p.dim() + c];
    }
  return to;
}

/// softmax(q Kᵀ / sqrt(dim)) V of one row, which sees the first `seen` keys.
std::vector<float> attend(const float* query, const float* key, const float* value, Index seen, Index dim) {
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  std::vector<float> weights(static_cast<std::size_t>(seen));
  float largest = -std::numeric_limits<float>::infinity();
  for (Index j = 0; j < seen; ++j) {
    float score = 0;
    for (Index c = 0; c < dim; ++c) score += query[c] * key[j * dim + c];
    weights[static_cast<std::size_t>(j)] = score * scale;
    largest = std::max(largest, score * scale);
  }
  float total = 0;
  for (float& weight : weights) total += weight = std::exp(weight - largest);
  std::vector<float> head(static_cast<std::size_t>(dim));
  for (Index j = 0; j < seen; ++j)
    for (Index c = 0; c < dim; ++c)
      head[static_cast<std::size_t>(c)] += weights[static_cast<std::size_t>(j)] / total * value[j * dim + c];
  return head;
}

/// output += head · W_O[h]
void add_head(const Problem& p, const std::vector<float>& head, Index h, float* output) {
  const float* W = p.W_O.data() + h * p.dim() * p.width();
  for (Index c = 0; c < p.dim(); ++c)
    for (Index k = 0; k < p.width(); ++k) output[k] += head[static_cast<std::size_t>(c)] * W[c * p.width() + k];
}

}  // namespace

void my_parallel(const Problem& p, Output& out) {
  prepare(p, out);
  out.output.fill(0);
  for (Index b = 0; b < p.batch(); ++b) {
    std::vector<std::vector<float>> Q(static_cast<std::size_t>(p.heads())), K(Q), V(Q);
#pragma omp parallel for
    for (Index h = 0; h < p.heads(); ++h) {
      Q[static_cast<std::size_t>(h)] = project(p, b, p.W_Q, h);
      K[static_cast<std::size_t>(h)] = project(p, b, p.W_K, h);
      V[static_cast<std::size_t>(h)] = project(p, b, p.W_V, h);
    }
    // Rows, not heads: all heads add to a row of the output.
#pragma omp parallel for schedule(dynamic, 8)
    for (Index i = 0; i < p.n(); ++i)
      for (Index h = 0; h < p.heads(); ++h) {
        const auto head = static_cast<std::size_t>(h);
        add_head(
            p, attend(Q[head].data() + i * p.dim(), K[head].data(), V[head].data(), p.causal ? i + 1 : p.n(), p.dim()),
            h, out.output.data() + (b * p.n() + i) * p.width());
      }
  }
}

}  // namespace attention::multi_head
