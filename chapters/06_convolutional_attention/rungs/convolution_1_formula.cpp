// Rung 1, formula: the sum over taps and channels, written with xtensor.
//
// What it shows: a convolution is a weighted sum of shifted images. For each of the kernel × kernel taps the image is seen
// through a shifted window, multiplied by that tap's weights, and summed over the input channels. What it costs: the
// product [out × in × height × width] is an expression that is computed element by element through strides, and the output
// is read and written once a tap.
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void convolution_formula(const ConvolutionProblem& p, ConvolutionOutput& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index r = p.radius();
  const Index d = p.dilation;
  const Index height = p.height();
  const Index width = p.width();
  Tensor<3> padded = xt::zeros<float>({p.in_channels(), height + 2 * r, width + 2 * r});
  for (Index b = 0; b < p.batch(); ++b) {
    xt::view(padded, all(), range(r, r + height), range(r, r + width)) = xt::view(p.input, b);
    // output = bias + Σ_u Σ_v Σ_c weight[o, c, u, v] · padded[c, y + d u, x + d v]
    auto output = xt::view(out.output, b);
    output = xt::broadcast(xt::view(p.bias, all(), newaxis(), newaxis()), output.shape());
    for (Index u = 0; u < p.kernel(); ++u)
      for (Index v = 0; v < p.kernel(); ++v) {
        const auto shifted = xt::view(padded, newaxis(), all(), range(d * u, d * u + height), range(d * v, d * v + width));
        const auto weight = xt::view(p.weight, all(), all(), u, v, newaxis(), newaxis());
        xt::noalias(output) += xt::sum(weight * shifted, {1});
      }
  }
}

std::size_t convolution_formula_workspace(const ConvolutionProblem& p) {
  return static_cast<std::size_t>(p.in_channels() * (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius())) * sizeof(float);
}

}  // namespace attention::convolutional
