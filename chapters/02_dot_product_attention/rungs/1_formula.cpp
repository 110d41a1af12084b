// Rung 1, formula: the three lines of the equation, written with xtensor.
//
// What it shows: how close code can be to a formula, and what that costs. Each line builds an expression that is computed
// element by element; the products run through a broadcast [queries × keys × dim] that is never stored, but never
// vectorised either. The maximum and the sum are put into named tensors first: a lazy reduction inside a broadcast is
// recomputed for every element (and, with keep_dims, reads out of bounds in xtensor 0.24 to 0.27).
#include <cmath>

#include "rungs/rungs.hpp"

namespace attention::dot_product {

void formula(const Problem& p, Output& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out, true);
  for (std::size_t b = 0; b < p.query.shape()[0]; ++b)
    for (std::size_t h = 0; h < p.query.shape()[1]; ++h) {
      const auto query = xt::view(p.query, b, h);
      const auto key = xt::view(p.key, b, h);
      const auto value = xt::view(p.value, b, h);
      auto weights = xt::view(out.weights, b, h);

      // scores = scale · Q Kᵀ
      Tensor<2> scores = p.scale * xt::sum(xt::view(query, all(), newaxis(), all()) * xt::view(key, newaxis(), all(), all()), {2});
      // weights = softmax(scores), the maximum taken out so that no exponential overflows
      const Tensor<1> largest = xt::amax(scores, {1});
      xt::noalias(weights) = xt::exp(scores - xt::view(largest, all(), newaxis()));
      const Tensor<1> total = xt::sum(weights, {1});
      xt::noalias(weights) /= xt::view(total, all(), newaxis());
      // output = weights · V
      xt::view(out.output, b, h) =
          xt::sum(xt::view(weights, all(), all(), newaxis()) * xt::view(value, newaxis(), all(), all()), {1});
      xt::view(out.lse, b, h) = largest + xt::log(total);
    }
}

std::size_t formula_workspace(const Problem& p) {
  // The weights of all heads, and one head's scores.
  return weights_workspace(p) + static_cast<std::size_t>(p.queries() * p.keys()) * sizeof(float);
}

}  // namespace attention::dot_product
