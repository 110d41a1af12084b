// Rung 4, tiled: a block of keys stays in the cache while a block of queries passes over it.
//
// What changed: the loops over queries and keys are cut into tiles, so that a tile of K (and then of V) is read from the
// near cache for 32 queries instead of from memory for each; and the sums are told to be reorderable (omp simd reduction),
// so that the dot product uses vectors. The values of 16 keys are summed from zero, then those of a tile, then all: short
// chains of additions also lose less precision than one over all keys. The scale goes into Q, together with log2(e): 2^x is
// cheaper than e^x, and the scores are rounded once less.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "rungs/rungs.hpp"

namespace attention::dot_product {

namespace {

/// Keys whose weighted values are summed from zero before they are added to the tile's sum.
constexpr Index short_sum = 16;

float dot(const float* a, const float* b, Index n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// scores[i][j] = q_i · k_j over one tile; seen[i]: the keys of it that q_i sees.
void scores_tile(const float* query, const float* key, std::span<const KeyRange> seen, Index dim, float* scores, Index stride) {
  for (Index i = 0; i < std::ssize(seen); ++i)
    for (Index j = seen[static_cast<std::size_t>(i)].first; j < seen[static_cast<std::size_t>(i)].last; ++j)
      scores[i * stride + j] = dot(query + i * dim, key + j * dim, dim);
}

/// One row of scores in powers of two becomes 2^(score − largest); gives the sum of these, and the row's log-sum-exp.
struct Total {
  float sum;
  float lse;
};
Total exponentials(float* row, Index n) {
  float largest = -std::numeric_limits<float>::infinity();
  for (Index j = 0; j < n; ++j) largest = std::max(largest, row[j]);
  if (largest == -std::numeric_limits<float>::infinity()) largest = 0;
  double sum = 0;  // in float64: everything in the row is divided by this one number
  for (Index j = 0; j < n; ++j) {
    row[j] = std::exp2(row[j] - largest);
    sum += static_cast<double>(row[j]);
  }
  return {static_cast<float>(sum), static_cast<float>(static_cast<double>(largest) * std::numbers::ln2 + std::log(sum))};
}

/// output[i] += Σ_j weights[i][j] · v_j over one tile of keys; `sum` and `part` hold value_dim floats each.
void values_tile(const float* weights, Index stride, const float* value, std::span<const KeyRange> seen, Index value_dim,
                 float* sum, float* part, float* output) {
  for (Index i = 0; i < std::ssize(seen); ++i) {
    const KeyRange keys = seen[static_cast<std::size_t>(i)];
    std::fill(sum, sum + value_dim, 0.F);
    for (Index first = keys.first; first < keys.last; first += short_sum) {
      std::fill(part, part + value_dim, 0.F);
      for (Index j = first; j < std::min(first + short_sum, keys.last); ++j) {
        const float weight = weights[i * stride + j];
#pragma omp simd
        for (Index c = 0; c < value_dim; ++c) part[c] += weight * value[j * value_dim + c];
      }
      for (Index c = 0; c < value_dim; ++c) sum[c] += part[c];
    }
    for (Index c = 0; c < value_dim; ++c) output[i * value_dim + c] += sum[c];
  }
}

}  // namespace

void tiled(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index keys = p.keys();
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const double factor = static_cast<double>(p.scale) * std::numbers::log2e;
  const Index tiles = (p.queries() + tiled_queries - 1) / tiled_queries;
#pragma omp parallel
  {
    std::vector<float> query(static_cast<std::size_t>(tiled_queries * dim));
    std::vector<float> sum(static_cast<std::size_t>(value_dim));
    std::vector<float> part(static_cast<std::size_t>(value_dim));
#pragma omp for collapse(3) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        for (Index tile = 0; tile < tiles; ++tile) {
          const Index first = tile * tiled_queries;
          const Index rows = std::min(tiled_queries, p.queries() - first);
          float* weights = out.weights_of(b, h) + first * keys;
          float* output = out.output_of(b, h) + first * value_dim;

          // Q · scale · log2(e), once: the exponentials are powers of two.
          const float* from = p.query_of(b, h) + first * dim;
          for (Index i = 0; i < rows * dim; ++i)
            query[static_cast<std::size_t>(i)] = static_cast<float>(static_cast<double>(from[i]) * factor);
          const KeyRange all = p.keys_of_block(first, rows);
          const auto tiles_of_keys = [&](auto work) {
            for (Index j = all.first / tiled_keys * tiled_keys; j < all.last; j += tiled_keys) {
              std::array<KeyRange, tiled_queries> seen;
              for (Index i = 0; i < rows; ++i)
                seen[static_cast<std::size_t>(i)] = within(p.keys_of(first + i), j, std::min(tiled_keys, keys - j));
              work(j, std::span<const KeyRange>(seen.data(), static_cast<std::size_t>(rows)));
            }
          };
          std::fill(weights, weights + rows * keys, 0.F);
          tiles_of_keys([&](Index j, std::span<const KeyRange> seen) {
            scores_tile(query.data(), p.key_of(b, h) + j * dim, seen, dim, weights + j, keys);
          });
          std::array<Total, tiled_queries> totals;
          for (Index i = 0; i < rows; ++i) {
            const KeyRange seen = p.keys_of(first + i);
            totals[static_cast<std::size_t>(i)] = exponentials(weights + i * keys + seen.first, seen.last - seen.first);
          }
          std::fill(output, output + rows * value_dim, 0.F);
          tiles_of_keys([&](Index j, std::span<const KeyRange> seen) {
            values_tile(weights + j, keys, p.value_of(b, h) + j * value_dim, seen, value_dim, sum.data(), part.data(), output);
          });
          // Divided last: a weight that is rounded before it is used would be off by as much again.
          for (Index i = 0; i < rows; ++i) {
            const Total& total = totals[static_cast<std::size_t>(i)];
            out.lse_of(b, h)[first + i] = total.lse;
            if (p.keys_of(first + i).empty()) continue;  // 0, and log 0 = −inf
            for (Index c = 0; c < value_dim; ++c) output[i * value_dim + c] /= total.sum;
            for (Index j = 0; j < keys; ++j) weights[i * keys + j] /= total.sum;
          }
        }
  }
}

}  // namespace attention::dot_product
