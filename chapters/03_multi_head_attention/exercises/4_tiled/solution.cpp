// Exercise 4, tiled: tiles of rows, tiles of keys with the online softmax, and products that vectorise.
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

constexpr Index tile_rows = 16;
constexpr Index tile_keys = 64;

/// softmax(Q Kᵀ / sqrt(dim)) V of `rows` rows by tiles of keys: to head [rows × dim].
void attend_tile(const float* query, Index rows, const float* key, const float* value, Index n, Index dim,
                 float* head) {
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  float m[tile_rows], l[tile_rows] = {};
  std::fill(m, m + rows, -std::numeric_limits<float>::infinity());
  std::fill(head, head + rows * dim, 0.F);
  for (Index first = 0; first < n; first += tile_keys) {
    const Index keys = std::min(tile_keys, n - first);
    for (Index i = 0; i < rows; ++i) {
      float scores[tile_keys];
      float m_new = m[i];
      for (Index j = 0; j < keys; ++j) {
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (Index c = 0; c < dim; ++c) sum += query[i * dim + c] * key[(first + j) * dim + c];
        scores[j] = sum * scale;
        m_new = std::max(m_new, scores[j]);
      }
      const float correction = std::exp(m[i] - m_new);
      l[i] *= correction;
      for (Index c = 0; c < dim; ++c) head[i * dim + c] *= correction;
      m[i] = m_new;
      for (Index j = 0; j < keys; ++j) {
        const float weight = std::exp(scores[j] - m_new);
        l[i] += weight;
        for (Index c = 0; c < dim; ++c) head[i * dim + c] += weight * value[(first + j) * dim + c];
      }
    }
  }
  for (Index i = 0; i < rows; ++i)
    for (Index c = 0; c < dim; ++c) head[i * dim + c] /= l[i];
}

}  // namespace

void my_tiled(const Problem& p, Output& out) {
  prepare(p, out);
  const Index tiles = (p.n() + tile_rows - 1) / tile_rows;
  for (Index b = 0; b < p.batch(); ++b) {
    std::vector<std::vector<float>> Q(static_cast<std::size_t>(p.heads())), K(Q), V(Q);
#pragma omp parallel for
    for (Index h = 0; h < p.heads(); ++h) {
      Q[static_cast<std::size_t>(h)] = project(p, b, p.W_Q, h);
      K[static_cast<std::size_t>(h)] = project(p, b, p.W_K, h);
      V[static_cast<std::size_t>(h)] = project(p, b, p.W_V, h);
    }
#pragma omp parallel for
    for (Index tile = 0; tile < tiles; ++tile) {
      const Index first = tile * tile_rows;
      const Index rows = std::min(tile_rows, p.n() - first);
      std::vector<float> head(static_cast<std::size_t>(rows * p.dim()));
      float* output = out.output.data() + (b * p.n() + first) * p.width();
      std::fill(output, output + rows * p.width(), 0.F);
      for (Index h = 0; h < p.heads(); ++h) {
        const auto at = static_cast<std::size_t>(h);
        attend_tile(Q[at].data() + first * p.dim(), rows, K[at].data(), V[at].data(), p.n(), p.dim(), head.data());
        const float* W = p.W_O.data() + h * p.dim() * p.width();
        for (Index i = 0; i < rows; ++i)
          for (Index c = 0; c < p.dim(); ++c)
            for (Index k = 0; k < p.width(); ++k)
              output[i * p.width() + k] += head[static_cast<std::size_t>(i * p.dim() + c)] * W[c * p.width() + k];
      }
    }
  }
}

}  // namespace attention::multi_head
