// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: a gate's gradient is the product of two maps, summed; the small network goes back through its
// transposed matrices; and each place of a map gets the same share of its mean's gradient. Every small gradient is put
// into a named tensor: a lazy one inside a broadcast would be computed again for every entry.
#include "rungs/squeeze_excitation_backward_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_backward_formula(const SqueezeExcitationBackwardProblem& p,
                                         SqueezeExcitationBackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  const auto& gate = p.kept.gate;
  // ds = Σ G u; da = ds ∘ s ∘ (1 − s)
  const Tensor<2> gate_gradient = xt::sum(p.output_gradient * p.input, {2, 3});
  const Tensor<2> da = gate_gradient * gate * (1.F - gate);
  // dh = W₂ᵀ da, and 0 where h is 0; dz = W₁ᵀ dh
  Tensor<2> dh = xt::sum(xt::view(da, all(), all(), newaxis()) * xt::view(p.expand_weight, newaxis(), all(), all()),
                         {1});
  dh = xt::where(p.kept.hidden <= 0.F, 0.F, dh);
  Tensor<2> dz = xt::sum(xt::view(dh, all(), all(), newaxis()) * xt::view(p.reduce_weight, newaxis(), all(), all()),
                         {1});
  dz /= static_cast<float>(p.places());
  // du = s G + dz / (H·W)
  xt::noalias(out.input) = p.output_gradient * xt::view(gate, all(), all(), newaxis(), newaxis()) +
                           xt::view(dz, all(), all(), newaxis(), newaxis());
  // dW₂ = Σ da hᵀ, dW₁ = Σ dh zᵀ
  xt::noalias(out.expand_weight) = xt::sum(
      xt::view(da, all(), all(), newaxis()) * xt::view(p.kept.hidden, all(), newaxis(), all()), {0});
  xt::noalias(out.expand_bias) = xt::sum(da, {0});
  xt::noalias(out.reduce_weight) = xt::sum(
      xt::view(dh, all(), all(), newaxis()) * xt::view(p.kept.mean, all(), newaxis(), all()), {0});
  xt::noalias(out.reduce_bias) = xt::sum(dh, {0});
}

}  // namespace attention::convolutional
