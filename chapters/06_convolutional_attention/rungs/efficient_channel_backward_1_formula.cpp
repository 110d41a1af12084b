// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: the way back through a convolution over the channels is one with the kernel turned round. Both the
// means and the gradients of the gates' arguments are written into the middle of a row of zeros, so that a shift needs
// no question about the end of the channels.
#include "rungs/efficient_channel_backward_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_backward_formula(const EfficientChannelBackwardProblem& p, EfficientChannelBackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index radius = p.kernel() / 2;
  const Index channels = p.channels();
  const auto& gate = p.kept.gate;
  const auto padded = [&](const Tensor<2>& numbers) {
    Tensor<2> row = xt::zeros<float>({p.batch(), channels + 2 * radius});
    xt::view(row, all(), range(radius, radius + channels)) = numbers;
    return row;
  };
  // dω = Σ G u; da = dω ∘ ω ∘ (1 − ω)
  const Tensor<2> gate_gradient = xt::sum(p.output_gradient * p.input, {2, 3});
  const Tensor<2> da = gate_gradient * gate * (1.F - gate);
  const Tensor<2> padded_da = padded(da);
  const Tensor<2> padded_mean = padded(p.kept.mean);
  // dg_i = Σ_j w_j da_{i−j+r}, dw_j = Σ_i da_i g_{i+j−r}
  Tensor<2> shift = xt::zeros<float>({p.batch(), channels});
  for (Index j = 0; j < p.kernel(); ++j) {
    const auto weight = static_cast<std::size_t>(j);
    shift += p.weight(weight) * xt::view(padded_da, all(), range(2 * radius - j, 2 * radius - j + channels));
    out.weight(weight) = xt::sum(da * xt::view(padded_mean, all(), range(j, j + channels)))();
  }
  shift /= static_cast<float>(p.places());
  // du = ω G + dg / (H·W)
  xt::noalias(out.input) = p.output_gradient * xt::view(gate, all(), all(), newaxis(), newaxis()) +
                           xt::view(shift, all(), all(), newaxis(), newaxis());
}

}  // namespace attention::convolutional
