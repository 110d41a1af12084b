// Backward, rung 1, formula: the chain rule through the projections, written with xtensor, one head after the other.
//
// What it shows: every product of the forward pass becomes two. Y = H W_O gives dH = dY W_Oᵀ and dW_O = Hᵀ dY; Q = X W_Q gives
// dX = dQ W_Qᵀ and dW_Q = Xᵀ dQ. X went into all heads, so their shares of dX are added.
#include "rungs/backward_heads.hpp"
#include "rungs/multi_head_backward_rungs.hpp"
#include "rungs/xtensor_product.hpp"

namespace attention::multi_head {

void backward_formula(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  for (Tensor<3>* gradient : {&out.input, &out.W_Q, &out.W_K, &out.W_V, &out.W_O}) gradient->fill(0);
  const auto transposed = [](const auto& x) { return Tensor<2>(xt::transpose(x)); };
  dot_product::BackwardProblem heads = p.heads;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.head_count(); ++h) {
      const Tensor<2> dY = xt::view(p.output_gradient, b);
      const Tensor<2> H = xt::view(heads.output, b, h);
      const Tensor<2> W_O = xt::view(p.W_O, h);
      xt::view(heads.output_gradient, b, h) = xtensor_product(dY, transposed(W_O));
      xt::view(out.W_O, h) += xtensor_product(transposed(H), dY);
    }
  const dot_product::BackwardOutput gradients = backward_of_heads("formula", heads);
  for (const auto& [W, from, to] : projection_gradients(p, gradients, out))
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.head_count(); ++h) {
        const Tensor<2> X = xt::view(p.input, b);
        const Tensor<2> dQ = xt::view(*from, b, h);
        const Tensor<2> W_h = xt::view(*W, h);
        xt::view(*to, h) += xtensor_product(transposed(X), dQ);
        xt::view(out.input, b) += xtensor_product(dQ, transposed(W_h));
      }
}

std::size_t backward_formula_workspace(const BackwardProblem& p) { return backward_heads_workspace("formula", p); }

}  // namespace attention::multi_head
