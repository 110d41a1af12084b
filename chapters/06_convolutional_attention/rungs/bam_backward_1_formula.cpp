// Backward, rung 1, formula: the equations, written with xtensor, an image after the other.
//
// What it shows: two sums over the same gradient of the argument, one for each branch; then each layer twice, once for
// its weights and once for its maps. A convolution's way back is the convolution with each tap turned round.
#include "rungs/bam_backward_rungs.hpp"

namespace attention::convolutional {

namespace {

using xt::all;
using xt::newaxis;
using xt::range;

/// From `gradient` [outputs, height, width] of a layer: adds to its weights' gradients, gives that of its maps.
Tensor<3> layer_backward(const BamLayer& layer, const Tensor<3>& maps, const Tensor<3>& gradient, Index dilation,
                         BamLayerGradientOf<float>& to) {
  const Index kernel = layer.kernel();
  const Index r = dilation * (kernel / 2);
  const Index height = tensor::extent(maps, 1);
  const Index width = tensor::extent(maps, 2);
  Tensor<3> padded = xt::zeros<float>({layer.inputs(), height + 2 * r, width + 2 * r});
  Tensor<3> padded_gradient = padded;
  xt::view(padded, all(), range(r, r + height), range(r, r + width)) = maps;
  for (Index u = 0; u < kernel; ++u)
    for (Index v = 0; v < kernel; ++v) {
      const Index y = dilation * u;
      const Index x = dilation * v;
      const Tensor<3> seen = xt::view(padded, all(), range(y, y + height), range(x, x + width));
      const Tensor<2> weight = xt::view(layer.weight, all(), all(), u, v);
      for (Index o = 0; o < layer.outputs(); ++o) {
        const Tensor<2> of_output = xt::view(gradient, o, all(), all());
        const Tensor<1> found = xt::sum(xt::view(of_output, newaxis(), all(), all()) * seen, {1, 2});
        xt::view(to.weight, o, all(), u, v) += found;
        const Tensor<1> w = xt::view(weight, o, all());
        xt::view(padded_gradient, all(), range(y, y + height), range(x, x + width)) +=
            xt::view(w, all(), newaxis(), newaxis()) * xt::view(of_output, newaxis(), all(), all());
      }
    }
  const Tensor<1> bias = xt::sum(gradient, {1, 2});
  to.bias += bias;
  return xt::view(padded_gradient, all(), range(r, r + height), range(r, r + width));
}

}  // namespace

void bam_backward_formula(const BamBackwardProblem& p, BamBackwardOutput& out) {
  prepare(p, out);
  const BamProblem& f = p.forward;
  for_each_bam_weight(out, [](const char*, auto& gradient) { gradient.fill(0); });
  for (Index b = 0; b < f.batch(); ++b) {
    const Tensor<3> image = xt::view(f.input, b, all(), all(), all());
    const Tensor<3> dy = xt::view(p.output_gradient, b, all(), all(), all());
    const Tensor<1> of_channel = xt::view(p.channel_branch, b, all());
    const Tensor<2> of_place = xt::view(p.spatial_branch, b, all(), all());
    // M = σ(M_c + M_s), dA = dF′ F M (1 − M)
    const Tensor<3> gate = 1.F / (1.F + xt::exp(-(xt::view(of_channel, all(), newaxis(), newaxis()) +
                                                  xt::view(of_place, newaxis(), all(), all()))));
    const Tensor<3> argument = dy * image * (gate * (1.F - gate));
    const Tensor<1> of_channels = xt::sum(argument, {1, 2});

    // the channel branch
    const Tensor<1> mean = xt::view(p.mean, b, all());
    const Tensor<1> before = xt::sum(f.reduce_weight * xt::view(mean, newaxis(), all()), {1}) + f.reduce_bias;
    const Tensor<1> unit = xt::where(before < 0.F, 0.F, before);
    const Tensor<1> from_channels = xt::sum(f.expand_weight * xt::view(of_channels, all(), newaxis()), {0});
    const Tensor<1> unit_gradient = xt::where(before > 0.F, 1.F, 0.F) * from_channels;
    out.expand_weight += xt::view(of_channels, all(), newaxis()) * xt::view(unit, newaxis(), all());
    out.expand_bias += of_channels;
    out.reduce_weight += xt::view(unit_gradient, all(), newaxis()) * xt::view(mean, newaxis(), all());
    out.reduce_bias += unit_gradient;
    Tensor<1> mean_gradient = xt::sum(f.reduce_weight * xt::view(unit_gradient, all(), newaxis()), {0});
    mean_gradient /= static_cast<float>(f.places());

    // the spatial branch, the last layer first
    const Tensor<2> of_places = xt::sum(argument, {0});
    Tensor<3> gradient = xt::view(of_places, newaxis(), all(), all());
    for (std::size_t layer = 4; layer-- > 1;) {
      const Tensor<3> maps = xt::view(p.inner[layer - 1], b, all(), all(), all());
      gradient = layer_backward(f.spatial[layer], maps, gradient, f.dilation, out.spatial[layer]);
      gradient *= xt::where(maps > 0.F, 1.F, 0.F);
    }
    gradient = layer_backward(f.spatial[0], image, gradient, f.dilation, out.spatial[0]);

    // dF = dF′ (1 + M) + da / P + f₀ᵀ d₀
    xt::view(out.input, b, all(), all(), all()) =
        dy * (1.F + gate) + xt::view(mean_gradient, all(), newaxis(), newaxis()) + gradient;
  }
}

std::size_t bam_backward_formula_workspace(const BamBackwardProblem& p) {
  // One image six times: F and dF′, gates, arguments, f₀'s maps with their gradient.
  const BamProblem& f = p.forward;
  const Index padded = (f.height() + 2 * f.radius()) * (f.width() + 2 * f.radius());
  return static_cast<std::size_t>(8 * f.image_size() + 4 * f.hidden() * padded + 5 * f.channels()) * sizeof(float);
}

}  // namespace attention::convolutional
