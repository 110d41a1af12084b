// Exercise 2, window: each token sees itself and some before it, and no work is done for the others.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "self_attention.hpp"

namespace attention::self_attention {

namespace {

/// X W of one head and sequence: [n × dim].
std::vector<float> project(const Problem& p, Index b, const Tensor<3>& weight, Index h) {
  std::vector<float> to(static_cast<std::size_t>(p.n() * p.dim()));
  for (Index i = 0; i < p.n(); ++i)
    for (Index k = 0; k < p.width(); ++k) {
      const float x = p.input.data()[(b * p.n() + i) * p.width() + k];
      const float* W = weight.data() + (k * p.heads() + h) * p.dim();
      for (Index c = 0; c < p.dim(); ++c) to[static_cast<std::size_t>(i * p.dim() + c)] += x * W[c];
    }
  return to;
}

/// softmax(q Kᵀ / sqrt(dim)) V over the keys seen; gives the log-sum-exp.
float attend(const float* query, const float* key, const float* value, KeyRange seen, Index dim, float* output) {
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  std::vector<float> weights(static_cast<std::size_t>(seen.last));
  float largest = -std::numeric_limits<float>::infinity();
  for (Index j = seen.first; j < seen.last; ++j) {
    float score = 0;
    for (Index c = 0; c < dim; ++c) score += query[c] * key[j * dim + c];
    weights[static_cast<std::size_t>(j)] = score * scale;
    largest = std::max(largest, score * scale);
  }
  float total = 0;
  for (Index j = seen.first; j < seen.last; ++j) {
    float& weight = weights[static_cast<std::size_t>(j)];
    weight = std::exp(weight - largest);
    total += weight;
  }
  std::fill(output, output + dim, 0.F);
  for (Index j = seen.first; j < seen.last; ++j)
    for (Index c = 0; c < dim; ++c) output[c] += weights[static_cast<std::size_t>(j)] / total * value[j * dim + c];
  return largest + std::log(total);
}

}  // namespace

void my_window(const Problem& p, Output& out) {
  prepare(p, out, false);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      const std::vector<float> Q = project(p, b, p.query_weight, h);
      const std::vector<float> K = project(p, b, p.key_weight, h);
      const std::vector<float> V = project(p, b, p.value_weight, h);
      for (Index i = 0; i < p.n(); ++i)
        out.lse_of(b, h)[i] =
            attend(Q.data() + i * p.dim(), K.data(), V.data(), p.keys_of(i), p.dim(), out.output_of(b, h, i));
    }
}

}  // namespace attention::self_attention
