// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: a mean over the places and two small products; four convolutions, each a sum of shifted maps; one sigmoid over
// the sum of both branches, a number for every element of every map. What is reduced is put into a named tensor: a lazy reduction
// inside a broadcast would be computed again for every place.
#include "rungs/bam_rungs.hpp"

namespace attention::convolutional {

namespace {

/// bias + f ∗ maps, [outputs, height, width]; the border is zeros.
Tensor<3> convolved(const BamLayer& layer, const Tensor<3>& maps, Index dilation) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  const Index kernel = layer.kernel();
  const Index r = dilation * (kernel / 2);
  const Index height = tensor::extent(maps, 1);
  const Index width = tensor::extent(maps, 2);
  Tensor<3> padded = xt::zeros<float>({layer.inputs(), height + 2 * r, width + 2 * r});
  xt::view(padded, all(), range(r, r + height), range(r, r + width)) = maps;
  auto out = tensor::empty<3>({layer.weight.shape()[0], maps.shape()[1], maps.shape()[2]});
  out = xt::broadcast(xt::view(layer.bias, all(), newaxis(), newaxis()), out.shape());
  for (Index u = 0; u < kernel; ++u)
    for (Index v = 0; v < kernel; ++v) {
      const Index y = dilation * u;
      const Index x = dilation * v;
      const auto shifted = xt::view(padded, newaxis(), all(), range(y, y + height), range(x, x + width));
      const auto weight = xt::view(layer.weight, all(), all(), u, v, newaxis(), newaxis());
      xt::noalias(out) += xt::sum(weight * shifted, {1});
    }
  return out;
}

}  // namespace

void bam_formula(const BamProblem& p, BamOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  for (std::size_t b = 0; b < p.input.shape()[0]; ++b) {
    const auto image = xt::view(p.input, b, all(), all(), all());
    // M_c = W₁ max(0, W₀ a + b₀) + b₁
    Tensor<1> mean = xt::sum(image, {1, 2});
    mean /= static_cast<float>(p.places());
    Tensor<1> hidden = xt::sum(p.reduce_weight * xt::view(mean, newaxis(), all()), {1}) + p.reduce_bias;
    hidden = xt::where(hidden < 0.F, 0.F, hidden);
    const Tensor<1> of_channel = xt::sum(p.expand_weight * xt::view(hidden, newaxis(), all()), {1}) + p.expand_bias;
    xt::view(out.channel_branch, b, all()) = of_channel;

    // M_s = f₃ ∗ max(0, f₂ ∗ max(0, f₁ ∗ max(0, f₀ ∗ F)))
    Tensor<3> maps = image;
    for (std::size_t layer = 0; layer < p.spatial.size(); ++layer) {
      if (layer > 0) maps = xt::where(maps < 0.F, 0.F, maps);
      maps = convolved(p.spatial[layer], maps, p.dilation);
    }
    xt::view(out.spatial_branch, b, all(), all()) = xt::view(maps, 0, all(), all());

    // F′ = F + F ⊗ σ(M_c + M_s)
    const Tensor<3> argument = xt::view(of_channel, all(), newaxis(), newaxis()) + maps;
    xt::view(out.output, b, all(), all(), all()) = image * (1.F + 1.F / (1.F + xt::exp(-argument)));
  }
}

std::size_t bam_formula_workspace(const BamProblem& p) {
  // One image twice, with its arguments; a layer's maps with their border.
  const Index padded = (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  return static_cast<std::size_t>(3 * p.image_size() + 2 * p.hidden() * padded + 3 * p.channels() + p.hidden()) * sizeof(float);
}

}  // namespace attention::convolutional
