// Rung 5, tiled: a tile of projected keys stays in the cache while a tile of queries passes over it.
//
// What changed: the loops over queries and keys are cut into tiles of 32 × 64. A tile of U k, 32 kB where hidden is 128, is
// fetched once for 32 queries, and so is the tile of values. It hardly pays: a tanh takes far longer than the fetch of
// its four bytes, even from memory. The rung stays because it says where the time is not.
#include <array>

#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// scores[i][j] over one tile.
void scores_tile(const float* a, const float* b, const float* v, Index rows, Index columns, Index hidden, float* scores, Index stride) {
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      float score = 0;
      for (Index h = 0; h < hidden; ++h) score += v[h] * std::tanh(a[i * hidden + h] + b[j * hidden + h]);
      scores[i * stride + j] = score;
    }
}

/// output[i] += Σ_j weights[i][j] · value_j over one tile.
void values_tile(const float* weights, Index stride, const float* value, Index rows, Index columns, Index value_dim, float* output) {
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      const float weight = weights[i * stride + j];
#pragma omp simd
      for (Index c = 0; c < value_dim; ++c) output[i * value_dim + c] += weight * value[j * value_dim + c];
    }
}

}  // namespace

void tiled(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index hidden = p.hidden();
  const Index keys = p.keys();
  const Index value_dim = p.value_dim();
  tensor::Buffer a(static_cast<std::size_t>(p.queries() * hidden));
  tensor::Buffer b(static_cast<std::size_t>(keys * hidden));
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < p.queries(); ++i)
    project(p.W.data(), hidden, p.query_dim(), p.query.data() + i * p.query_dim(), a.data() + i * hidden);
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < keys; ++j)
    project(p.U.data(), hidden, p.key_dim(), p.key.data() + j * p.key_dim(), b.data() + j * hidden);

  const Index tiles = (p.queries() + tiled_queries - 1) / tiled_queries;
#pragma omp parallel for schedule(dynamic)
  for (Index tile = 0; tile < tiles; ++tile) {
    const Index first = tile * tiled_queries;
    const Index rows = std::min(tiled_queries, p.queries() - first);
    float* weights = out.weights.data() + first * keys;
    float* output = out.output.data() + first * value_dim;

    for (Index j = 0; j < keys; j += tiled_keys)
      scores_tile(a.data() + first * hidden, b.data() + j * hidden, p.v.data(), rows, std::min(tiled_keys, keys - j), hidden,
                  weights + j, keys);
    std::array<float, tiled_queries> totals;
    for (Index i = 0; i < rows; ++i) {
      float* row = weights + i * keys;
      float largest = *std::max_element(row, row + keys);
      if (largest == -infinity) largest = 0;
      float& total = totals[static_cast<std::size_t>(i)];
      total = 0;
      for (Index j = 0; j < keys; ++j) {
        row[j] = std::exp(row[j] - largest);
        total += row[j];
      }
      out.lse.data()[first + i] = largest + std::log(total);
    }
    std::fill(output, output + rows * value_dim, 0.F);
    for (Index j = 0; j < keys; j += tiled_keys)
      values_tile(weights + j, keys, p.value.data() + j * value_dim, rows, std::min(tiled_keys, keys - j), value_dim, output);
    for (Index i = 0; i < rows; ++i) {
      const float total = totals[static_cast<std::size_t>(i)];
      for (Index c = 0; c < value_dim; ++c) output[i * value_dim + c] /= total;
      for (Index j = 0; j < keys; ++j) weights[i * keys + j] /= total;
    }
  }
}

}  // namespace attention::additive
