// Rung 1, formula: the five lines of the backward pass, written with xtensor; P and dS are stored as whole
// matrices.
//
// What it shows: the equations, and nothing else. Each product runs through a broadcast of three indices that
// is never stored and never vectorised. A masked pair is a 0 in P and in dS, so a NaN or infinity in what the
// mask hides still spoils the products: 0 · NaN is NaN. The rungs that follow do not multiply what is hidden.
#include <cmath>

#include "rungs/backward_rungs.hpp"

namespace attention::dot_product {

namespace {

/// 1 where a query sees a key, else 0.
Tensor<2> visible_of(const BackwardProblem& p) {
  Tensor<2> visible =
      xt::zeros<float>({static_cast<std::size_t>(p.queries()), static_cast<std::size_t>(p.keys())});
  for (Index i = 0; i < p.queries(); ++i) {
    const KeyRange seen = p.mask.keys_of(i, p.keys());
    std::fill(visible.data() + i * p.keys() + seen.first, visible.data() + i * p.keys() + seen.last, 1.F);
  }
  return visible;
}

}  // namespace

void backward_formula(const BackwardProblem& p, BackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  const Tensor<2> visible = visible_of(p);
  // a Bᵀ: the rows of a against the rows of b. aᵀ b: the columns of a against the columns of b.
  const auto rows_by_rows = [](const auto& a, const auto& b) {
    return xt::sum(xt::view(a, all(), newaxis(), all()) * xt::view(b, newaxis(), all(), all()), {2});
  };
  const auto columns_by_columns = [](const auto& a, const auto& b) {
    return xt::sum(xt::view(a, all(), all(), newaxis()) * xt::view(b, all(), newaxis(), all()), {0});
  };
  for (std::size_t b = 0; b < p.query.shape()[0]; ++b)
    for (std::size_t h = 0; h < p.query.shape()[1]; ++h) {
      const Tensor<2> query = xt::view(p.query, b, h);
      const Tensor<2> key = xt::view(p.key, b, h);
      const Tensor<2> value = xt::view(p.value, b, h);
      const Tensor<2> output = xt::view(p.output, b, h);
      const Tensor<1> lse = xt::view(p.lse, b, h);
      const Tensor<2> output_gradient = xt::view(p.output_gradient, b, h);

      // P = exp(S − lse)
      const Tensor<2> scores = p.scale * rows_by_rows(query, key);
      const Tensor<2> weights =
          xt::where(xt::equal(visible, 1.F), xt::exp(scores - xt::view(lse, all(), newaxis())), 0.F);
      // dV = Pᵀ dO
      xt::view(out.value_gradient, b, h) = columns_by_columns(weights, output_gradient);
      // dS = P ∘ (dP − D), dP = dO Vᵀ, D_i = dO_i · O_i
      const Tensor<2> weights_gradient = rows_by_rows(output_gradient, value);
      const Tensor<1> delta = xt::sum(output_gradient * output, {1});
      const Tensor<2> scores_gradient = xt::where(
          xt::equal(visible, 1.F), weights * (weights_gradient - xt::view(delta, all(), newaxis())), 0.F);
      // dQ = scale · dS K
      const Tensor<2> scores_gradient_transposed = xt::transpose(scores_gradient);
      xt::view(out.query_gradient, b, h) = p.scale * columns_by_columns(scores_gradient_transposed, key);
      // dK = scale · dSᵀ Q
      xt::view(out.key_gradient, b, h) = p.scale * columns_by_columns(scores_gradient, query);
    }
}

std::size_t backward_formula_workspace(const BackwardProblem& p) {
  // Six matrices of queries × keys, and copies of one head's inputs.
  const Index pairs = p.queries() * p.keys();
  const Index inputs = p.queries() * (p.dim() + 2 * p.value_dim() + 2) + p.keys() * (p.dim() + p.value_dim());
  return static_cast<std::size_t>(6 * pairs + inputs) * sizeof(float);
}

}  // namespace attention::dot_product
