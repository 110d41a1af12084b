// Exercise 4, tiled: a tile of keys and values serves a tile of queries while it is in the cache; the online softmax
// works by tiles.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "dot_product.hpp"

namespace attention::dot_product {

namespace {

constexpr Index tile_queries = 32;
constexpr Index tile_keys = 64;

float dot(const float* a, const float* b, Index n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index c = 0; c < n; ++c) sum += a[c] * b[c];
  return sum;
}

/// One row's scores of a tile become weights, and join what the row has so far: its maximum m, sum l and output.
void take_tile(float* scores, Index keys, const float* value, Index value_dim, float& m, float& l, float* output) {
  float m_new = m;
  for (Index j = 0; j < keys; ++j) m_new = std::max(m_new, scores[j]);
  const float correction = std::exp(m - m_new);
  l *= correction;
  for (Index c = 0; c < value_dim; ++c) output[c] *= correction;
  for (Index j = 0; j < keys; ++j) {
    const float weight = std::exp(scores[j] - m_new);
    l += weight;
#pragma omp simd
    for (Index c = 0; c < value_dim; ++c) output[c] += weight * value[j * value_dim + c];
  }
  m = m_new;
}

}  // namespace

void my_tiled(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Index tiles = (p.queries() + tile_queries - 1) / tile_queries;
#pragma omp parallel for collapse(3)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index tile = 0; tile < tiles; ++tile) {
        const Index first = tile * tile_queries;
        const Index rows = std::min(tile_queries, p.queries() - first);
        std::array<float, tile_queries> m;
        std::array<float, tile_queries> l;
        m.fill(-std::numeric_limits<float>::infinity());
        l.fill(0);
        float* output = out.output_of(b, h) + first * p.value_dim();
        std::fill(output, output + rows * p.value_dim(), 0.F);
        for (Index start = 0; start < p.keys(); start += tile_keys) {
          const Index keys = std::min(tile_keys, p.keys() - start);
          const float* key = p.key_of(b, h) + start * p.dim();
          for (Index i = 0; i < rows; ++i) {
            std::array<float, tile_keys> scores;
            const float* query = p.query_of(b, h) + (first + i) * p.dim();
            for (Index j = 0; j < keys; ++j)
              scores[static_cast<std::size_t>(j)] = p.scale * dot(query, key + j * p.dim(), p.dim());
            take_tile(scores.data(), keys, p.value_of(b, h) + start * p.value_dim(), p.value_dim(),
                      m[static_cast<std::size_t>(i)], l[static_cast<std::size_t>(i)], output + i * p.value_dim());
          }
        }
        for (Index i = 0; i < rows; ++i) {
          for (Index c = 0; c < p.value_dim(); ++c) output[i * p.value_dim() + c] /= l[static_cast<std::size_t>(i)];
          out.lse_of(b, h)[first + i] = m[static_cast<std::size_t>(i)] + std::log(l[static_cast<std::size_t>(i)]);
        }
      }
}

}  // namespace attention::dot_product
