// Rung 1, formula: the three sums, written with xtensor.
//
// What it shows: tap by tap, the same shifted images as in forward. A weight's gradient is the product of G with the
// image that its tap saw, summed over all places. The input's gradient is a sum of shifted G, and the shift has the
// other sign. What it costs: two products [out × in × height × width] a tap, computed element by element through
// strides.
#include "rungs/convolution_backward_rungs.hpp"

namespace attention::convolutional {

void convolution_backward_formula(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index r = p.radius();
  const Index d = p.dilation;
  const Index height = p.height();
  const Index width = p.width();
  Tensor<3> padded = xt::zeros<float>({p.in_channels(), height + 2 * r, width + 2 * r});
  Tensor<3> padded_gradient = xt::zeros<float>({p.out_channels(), height + 2 * r, width + 2 * r});
  out.input_gradient.fill(0);
  out.weight_gradient.fill(0);
  out.bias_gradient.fill(0);
  for (Index b = 0; b < p.batch(); ++b) {
    const auto gradient = xt::view(p.output_gradient, b);
    xt::view(padded, all(), range(r, r + height), range(r, r + width)) = xt::view(p.input, b);
    xt::view(padded_gradient, all(), range(r, r + height), range(r, r + width)) = gradient;
    out.bias_gradient += xt::sum(gradient, {1, 2});
    auto input_gradient = xt::view(out.input_gradient, b);
    for (Index u = 0; u < p.kernel(); ++u)
      for (Index v = 0; v < p.kernel(); ++v) {
        // weight_gradient[o, c, u, v] += Σ_y Σ_x G[o, y, x] · padded[c, y + d u, x + d v]
        const auto seen = xt::view(padded, newaxis(), all(), range(d * u, d * u + height), range(d * v, d * v + width));
        auto weight_gradient = xt::view(out.weight_gradient, all(), all(), u, v);
        xt::noalias(weight_gradient) += xt::sum(xt::view(gradient, all(), newaxis(), all(), all()) * seen, {2, 3});
        // input_gradient[c, y, x] += Σ_o weight[o, c, u, v] · padded G[o, y + 2r − d u, x + 2r − d v]
        const Index top = 2 * r - d * u;
        const Index left = 2 * r - d * v;
        const auto shifted = xt::view(padded_gradient, all(), newaxis(), range(top, top + height),
                                      range(left, left + width));
        xt::noalias(input_gradient) += xt::sum(xt::view(p.weight, all(), all(), u, v, newaxis(), newaxis()) * shifted,
                                               {0});
      }
  }
}

std::size_t convolution_backward_formula_workspace(const ConvolutionBackwardProblem& p) {
  const Index plane = (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  return static_cast<std::size_t>((p.in_channels() + p.out_channels()) * plane) * sizeof(float);
}

}  // namespace attention::convolutional
