// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: the convolution over the channels is a sum of shifted means, one for each of the k weights. The means are
// written into the middle of a row of zeros, so that a shift needs no question about the end of the channels.
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_formula(const EfficientChannelProblem& p, GatedMaps& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index radius = p.kernel() / 2;
  const Index channels = p.channels();
  // g = mean over the places
  Tensor<2> padded = tensor::empty<2>({p.input.shape()[0], static_cast<std::size_t>(channels + 2 * radius)});
  padded.fill(0.F);
  auto mean = xt::view(padded, all(), range(radius, radius + channels));
  mean = xt::sum(p.input, {2, 3});
  mean /= static_cast<float>(p.places());
  // ω = σ(Σ_j w_j g shifted by j − r)
  Tensor<2> argument = tensor::empty<2>({p.input.shape()[0], p.input.shape()[1]});
  argument.fill(0.F);
  for (Index j = 0; j < p.kernel(); ++j) argument += p.weight(static_cast<std::size_t>(j)) * xt::view(padded, all(), range(j, j + channels));
  xt::noalias(out.gate) = 1.F / (1.F + xt::exp(-argument));
  // x = ω · u
  xt::noalias(out.output) = p.input * xt::view(out.gate, all(), all(), newaxis(), newaxis());
}

}  // namespace attention::convolutional
