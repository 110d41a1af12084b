// Rung 1, formula: a weighted sum of shifted images, as for the convolution, in xtensor's words.
//
// There is no sum over channels: each tap multiplies every channel by a number of its own. Every output is read and
// written once a tap.
#include "rungs/depthwise_rungs.hpp"

namespace attention::convolutional {

void depthwise_formula(const DepthwiseProblem& p, ConvolutionOutput& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index r = p.radius();
  const Index height = p.height();
  const Index width = p.width();
  Tensor<3> padded = xt::zeros<float>({p.channels(), height + 2 * r, width + 2 * r});
  for (Index b = 0; b < p.batch(); ++b) {
    xt::view(padded, all(), range(r, r + height), range(r, r + width)) = xt::view(p.input, b);
    // output = bias + Σ_u Σ_v weight[c, u, v] · padded[c, y + u, x + v]
    auto output = xt::view(out.output, b);
    output = xt::broadcast(xt::view(p.bias, all(), newaxis(), newaxis()), output.shape());
    for (Index u = 0; u < p.kernel(); ++u)
      for (Index v = 0; v < p.kernel(); ++v)
        xt::noalias(output) += xt::view(p.weight, all(), u, v, newaxis(), newaxis()) *
                               xt::view(padded, all(), range(u, u + height), range(v, v + width));
  }
}

std::size_t depthwise_formula_workspace(const DepthwiseProblem& p) {
  return static_cast<std::size_t>(p.channels() * (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius())) *
         sizeof(float);
}

}  // namespace attention::convolutional
