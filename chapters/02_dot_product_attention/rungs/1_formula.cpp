// Rung 1, formula: the three lines of the equation, written with xtensor.
//
// What it shows: how close code can be to a formula, and what that costs. Each line builds an expression that is computed
// element by element; the products run through a broadcast [queries × keys × dim] that is never stored, but never
// vectorised either. The maximum and the sum are put into named tensors first: a lazy reduction inside a broadcast is
// recomputed for every element (and, with keep_dims, reads out of bounds in xtensor 0.24 to 0.27).
#include <algorithm>
#include <cmath>
#include <limits>

#include "rungs/rungs.hpp"

namespace attention::dot_product {

namespace {

/// −inf where a query does not see a key: its weight becomes exp(−inf) = 0.
void mask_scores(const Problem& p, Tensor<2>& scores) {
  for (Index i = 0; i < p.queries(); ++i) {
    const KeyRange seen = p.keys_of(i);
    float* row = scores.data() + i * p.keys();
    std::fill(row, row + seen.first, -std::numeric_limits<float>::infinity());
    std::fill(row + seen.last, row + p.keys(), -std::numeric_limits<float>::infinity());
  }
}

/// A query without keys has no softmax (0/0): it gets 0, its log-sum-exp is −inf.
void clear_rows_without_keys(const Problem& p, std::size_t b, std::size_t h, Output& out) {
  for (Index i = 0; i < p.queries(); ++i)
    if (p.keys_of(i).empty()) {
      xt::view(out.weights, b, h, i) = 0;
      xt::view(out.output, b, h, i) = 0;
      out.lse(b, h, i) = -std::numeric_limits<float>::infinity();
    }
}

}  // namespace

void formula(const Problem& p, Output& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out, true);
  for (std::size_t b = 0; b < p.query.shape()[0]; ++b)
    for (std::size_t h = 0; h < p.query.shape()[1]; ++h) {
      const auto query = xt::view(p.query, b, h);
      const std::size_t key_head = h / (p.query.shape()[1] / p.key.shape()[1]);
      const auto key = xt::view(p.key, b, key_head);
      const auto value = xt::view(p.value, b, key_head);
      auto weights = xt::view(out.weights, b, h);

      // scores = scale · Q Kᵀ
      Tensor<2> scores = p.scale * xt::sum(xt::view(query, all(), newaxis(), all()) * xt::view(key, newaxis(), all(), all()), {2});
      mask_scores(p, scores);
      // weights = softmax(scores), the maximum taken out so that no exponential overflows
      const Tensor<1> largest = xt::amax(scores, {1});
      xt::noalias(weights) = xt::exp(scores - xt::view(largest, all(), newaxis()));
      const Tensor<1> total = xt::sum(weights, {1});
      xt::noalias(weights) /= xt::view(total, all(), newaxis());
      // output = weights · V
      xt::view(out.output, b, h) =
          xt::sum(xt::view(weights, all(), all(), newaxis()) * xt::view(value, newaxis(), all(), all()), {1});
      xt::view(out.lse, b, h) = largest + xt::log(total);
      clear_rows_without_keys(p, b, h, out);
    }
}

std::size_t formula_workspace(const Problem& p) {
  // The weights of all heads, and one head's scores.
  return weights_workspace(p) + static_cast<std::size_t>(p.queries() * p.keys()) * sizeof(float);
}

}  // namespace attention::dot_product
