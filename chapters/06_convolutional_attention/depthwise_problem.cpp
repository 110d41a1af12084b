#include <algorithm>

#include "depthwise.hpp"

namespace attention::convolutional {

void prepare(const DepthwiseProblem& p, ConvolutionOutput& out) {
  if (!std::ranges::equal(out.output.shape(), p.input.shape())) out.output = tensor::empty<4>(p.input.shape());
}

DepthwiseProblem make_depthwise(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  // A convolution of one input channel has such weights; its image is replaced by one with a plane for each of them.
  const auto with = [&](const char* key) { return std::pair<std::string, Index>(key, shape[key]); };
  const Index channels = shape["channels"];
  ConvolutionProblem one = make_convolution(ladder::Shape({{"batch", shape["batch"] * channels},
                                                           {"in_channels", 1},
                                                           {"out_channels", channels},
                                                           with("height"),
                                                           with("width"),
                                                           with("kernel"),
                                                           {"dilation", 1}}),
                                            seed, hardness);
  const auto size = [&shape](const char* key) { return static_cast<std::size_t>(shape[key]); };
  DepthwiseProblem p;
  p.input = tensor::empty<4>({size("batch"), size("channels"), size("height"), size("width")});
  p.weight = tensor::empty<3>({size("channels"), size("kernel"), size("kernel")});
  std::ranges::copy(one.input, p.input.data());
  std::ranges::copy(one.weight, p.weight.data());
  p.bias = std::move(one.bias);
  return p;
}

DepthwiseProblem take_channels(const DepthwiseProblem& p, std::span<const Index> channels) {
  DepthwiseProblem part;
  part.input = tensor::empty<4>({p.input.shape()[0], channels.size(), p.input.shape()[2], p.input.shape()[3]});
  part.weight = tensor::empty<3>({channels.size(), p.weight.shape()[1], p.weight.shape()[2]});
  part.bias = tensor::empty<1>({channels.size()});
  float* input = part.input.data();
  float* weight = part.weight.data();
  float* bias = part.bias.data();
  for (Index b = 0; b < p.batch(); ++b)
    for (const Index c : channels) input = std::copy_n(p.plane(b * p.channels() + c), p.pixels(), input);
  for (const Index c : channels) {
    weight = std::copy_n(p.weight_of(c), p.taps(), weight);
    *bias++ = p.bias_of(c);
  }
  return part;
}

ladder::Cost cost(const DepthwiseProblem& p) {
  const auto planes = static_cast<double>(p.planes());
  return {
      .flops = 2 * planes * pairs_inside(p.height(), p.kernel(), 1) * pairs_inside(p.width(), p.kernel(), 1),
      .bytes = 4 * (2 * planes * static_cast<double>(p.pixels()) + static_cast<double>(p.channels() * (p.taps() + 1))),
      .exps = 0,
      .reciprocals = 0};
}

}  // namespace attention::convolutional
