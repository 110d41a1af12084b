// Exercise 4, tiled: causal attention by tiles with the online softmax; tiles that nobody sees are skipped.
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

constexpr Index tile_keys = 32;

}  // namespace

void my_tiled(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Index dim = p.dim();
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
#pragma omp parallel for collapse(2)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      const std::vector<float> Q = project(p, b, p.query_weight, h);
      const std::vector<float> K = project(p, b, p.key_weight, h);
      const std::vector<float> V = project(p, b, p.value_weight, h);
      float scores[tile_keys];
      for (Index i = 0; i < p.n(); ++i) {
        const float* query = Q.data() + i * dim;
        float* output = out.output_of(b, h, i);
        std::fill(output, output + dim, 0.F);
        float m_i = -std::numeric_limits<float>::infinity();  // the maximum so far
        float l_i = 0;                                        // the sum of exp(score − m_i) so far
        const Index seen = i + 1;
        for (Index first = 0; first < seen; first += tile_keys) {
          const Index keys = std::min(tile_keys, seen - first);
          float m_new = m_i;
          for (Index j = 0; j < keys; ++j) {
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (Index c = 0; c < dim; ++c) sum += query[c] * K[static_cast<std::size_t>((first + j) * dim + c)];
            scores[j] = sum * scale;
            m_new = std::max(m_new, scores[j]);
          }
          const float correction = std::exp(m_i - m_new);
          l_i *= correction;
          for (Index c = 0; c < dim; ++c) output[c] *= correction;
          m_i = m_new;
          for (Index j = 0; j < keys; ++j) {
            const float weight = std::exp(scores[j] - m_i);
            l_i += weight;
            for (Index c = 0; c < dim; ++c) output[c] += weight * V[static_cast<std::size_t>((first + j) * dim + c)];
          }
        }
        for (Index c = 0; c < dim; ++c) output[c] /= l_i;
        out.lse_of(b, h)[i] = m_i + std::log(l_i);
      }
    }
}

}  // namespace attention::self_attention
