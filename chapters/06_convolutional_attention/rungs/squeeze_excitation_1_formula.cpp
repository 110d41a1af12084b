// Rung 1, formula: the three equations, written with xtensor.
//
// What it shows: a mean over two axes, two small products with a broadcast, and the maps times a broadcast of the gates. The
// means are put into a named tensor: a lazy reduction inside a broadcast would be computed again for every hidden unit.
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_formula(const SqueezeExcitationProblem& p, GatedMaps& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  // z = mean over the places
  Tensor<2> mean = xt::sum(p.input, {2, 3});
  mean /= static_cast<float>(p.places());
  for (std::size_t b = 0; b < p.input.shape()[0]; ++b) {
    // s = σ(W₂ max(0, W₁ z))
    const auto z = xt::view(mean, b, newaxis(), all());
    Tensor<1> hidden = xt::sum(p.reduce_weight * z, {1}) + p.reduce_bias;
    hidden = xt::where(hidden < 0.F, 0.F, hidden);
    const Tensor<1> argument = xt::sum(p.expand_weight * xt::view(hidden, newaxis(), all()), {1}) + p.expand_bias;
    xt::view(out.gate, b) = 1.F / (1.F + xt::exp(-argument));
  }
  // x = s · u
  xt::noalias(out.output) = p.input * xt::view(out.gate, all(), all(), newaxis(), newaxis());
}

}  // namespace attention::convolutional
