// Rung 4, tiled: 64 keys stay in the near caches, with their values and the gradients of both, while all
// queries pass over them.
//
// What changed: the loop over the keys is cut into tiles. For d = 64 the four matrices of a tile take 66 KB,
// and rung 2 fetched as much for every query from wherever all keys fit. A query's weights of one tile are
// recomputed from lse and used at once. The dot products are told that their sums may be reordered (omp simd
// reduction), so they use vectors; and the scale and log2(e) go into the query beforehand, so that a weight
// is a power of two.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "rungs/backward_row.hpp"
#include "rungs/backward_rungs.hpp"

namespace attention::dot_product {

namespace {

float dot(const float* a, const float* b, Index n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// to += factor · from
void add_scaled(float factor, const float* from, Index n, float* to) {
#pragma omp simd
  for (Index i = 0; i < n; ++i) to[i] += factor * from[i];
}

}  // namespace

void backward_tiled(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const double factor = static_cast<double>(p.scale) * std::numbers::log2e;
  std::vector<float> query(static_cast<std::size_t>(dim));
  std::vector<float> sum(static_cast<std::size_t>(dim));
  for (Index head = 0; head < p.all_heads(); ++head) {
    clear_gradients(p, head, out);
    for (Index first = 0; first < p.keys(); first += backward_tiled_keys) {  // tiles of keys
      const Index last = std::min(first + backward_tiled_keys, p.keys());
      for (Index i = 0; i < p.queries(); ++i) {
        const KeyRange seen = p.keys_of(i);
        const float* gradient = p.output_gradient_of(head) + i * value_dim;
        const float* query_i = p.query_of(head) + i * dim;
        for (Index c = 0; c < dim; ++c)
          query[static_cast<std::size_t>(c)] = static_cast<float>(static_cast<double>(query_i[c]) * factor);
        const auto lse = static_cast<float>(static_cast<double>(p.lse_of(head)[i]) * std::numbers::log2e);
        const float delta = dot(gradient, p.output_of(head) + i * value_dim, value_dim);
        std::ranges::fill(sum, 0.F);
        for (Index j = std::max(first, seen.first); j < std::min(last, seen.last); ++j) {
          const float* key = p.key_of(head) + j * dim;
          const float weight = std::exp2(dot(query.data(), key, dim) - lse);
          const float score_gradient =
              p.scale * weight * (dot(gradient, p.value_of(head) + j * value_dim, value_dim) - delta);
          add_scaled(weight, gradient, value_dim, out.value_gradient_of(head) + j * value_dim);
          add_scaled(score_gradient, query_i, dim, out.key_gradient_of(head) + j * dim);
          add_scaled(score_gradient, key, dim, sum.data());
        }
        add_scaled(1, sum.data(), dim, out.query_gradient_of(head) + i * dim);
      }
    }
  }
}

std::size_t backward_tiled_workspace(const BackwardProblem& p) {
  return static_cast<std::size_t>(2 * p.dim()) * sizeof(float);
}

}  // namespace attention::dot_product
