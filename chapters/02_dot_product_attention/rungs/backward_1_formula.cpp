// Rung 1, formula: the five lines of the backward pass, written with xtensor; P and dS are stored as whole
// matrices.
//
// What it shows: the equations, and nothing else. Each product runs through a broadcast of three indices that
// is never stored and never vectorised. A masked pair is a 0 in P and in dS, so a NaN or infinity in what the
// mask hides still spoils the products: 0 · NaN is NaN. The rungs that follow do not multiply what is hidden.
#include <algorithm>

#include "rungs/backward_rungs.hpp"

namespace attention::dot_product {

namespace {

/// 1 where a query sees a key, else 0.
Tensor<2> visible_of(const BackwardProblem& p) {
  Tensor<2> visible =
      xt::zeros<float>({static_cast<std::size_t>(p.queries()), static_cast<std::size_t>(p.keys())});
  for (Index i = 0; i < p.queries(); ++i) {
    const KeyRange seen = p.keys_of(i);
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
  // x yᵀ and x y
  const auto times_transposed = [](const Tensor<2>& x, const Tensor<2>& y) {
    return Tensor<2>(
        xt::sum(xt::view(x, all(), newaxis(), all()) * xt::view(y, newaxis(), all(), all()), {2}));
  };
  const auto times = [](const Tensor<2>& x, const Tensor<2>& y) {
    return Tensor<2>(
        xt::sum(xt::view(x, all(), all(), newaxis()) * xt::view(y, newaxis(), all(), all()), {1}));
  };
  const auto transposed = [](const Tensor<2>& x) { return Tensor<2>(xt::transpose(x)); };
  for (std::size_t b = 0; b < p.query.shape()[0]; ++b)
    for (std::size_t h = 0; h < p.query.shape()[1]; ++h) {
      const Tensor<2> query = xt::view(p.query, b, h);
      const Tensor<2> key = xt::view(p.key, b, h);
      const Tensor<2> value = xt::view(p.value, b, h);
      const Tensor<2> output = xt::view(p.output, b, h);
      const Tensor<1> lse = xt::view(p.lse, b, h);
      const Tensor<2> output_gradient = xt::view(p.output_gradient, b, h);

      const auto masked = [&visible](const auto& x) {
        return Tensor<2>(xt::where(xt::equal(visible, 1.F), x, 0.F));
      };

      // P = exp(S − lse)
      const Tensor<2> scores = p.scale * times_transposed(query, key);
      const Tensor<2> weights = masked(xt::exp(scores - xt::view(lse, all(), newaxis())));
      // dV = Pᵀ dO
      xt::view(out.value_gradient, b, h) = times(transposed(weights), output_gradient);
      // dS = P ∘ (dP − D), dP = dO Vᵀ, D_i = dO_i · O_i
      const Tensor<2> weights_gradient = times_transposed(output_gradient, value);
      const Tensor<1> delta = xt::sum(output_gradient * output, {1});
      const Tensor<2> scores_gradient =
          masked(weights * (weights_gradient - xt::view(delta, all(), newaxis())));
      // dQ = scale · dS K
      xt::view(out.query_gradient, b, h) = p.scale * times(scores_gradient, key);
      // dK = scale · dSᵀ Q
      xt::view(out.key_gradient, b, h) = p.scale * times(transposed(scores_gradient), query);
    }
}

std::size_t backward_formula_workspace(const BackwardProblem& p) {
  // Seven matrices of queries × keys, and copies of one head's inputs.
  const Index pairs = p.queries() * p.keys();
  const Index inputs = p.queries() * (p.dim() + 2 * p.value_dim() + 2) + p.keys() * (p.dim() + p.value_dim());
  return static_cast<std::size_t>(7 * pairs + inputs) * sizeof(float);
}

}  // namespace attention::dot_product
