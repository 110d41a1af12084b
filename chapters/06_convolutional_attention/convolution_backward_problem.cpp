#include <algorithm>

#include "convolution_backward.hpp"
#include "numerics/random.hpp"

namespace attention::convolutional {

void prepare(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  const auto fit = [](auto& gradient, const auto& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = std::decay_t<decltype(of)>(of.shape());
  };
  fit(out.input_gradient, p.input);
  fit(out.weight_gradient, p.weight);
  fit(out.bias_gradient, p.bias);
}

ConvolutionBackwardProblem make_convolution_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                     ladder::Hardness hardness) {
  ConvolutionBackwardProblem p{make_convolution(shape, seed, hardness), {}};
  p.output_gradient = tensor::empty<4>(
      {p.input.shape()[0], p.weight.shape()[0], p.input.shape()[2], p.input.shape()[3]});
  numerics::Random random(~seed);
  for (float& g : p.output_gradient) g = random.normal();
  return p;
}

ladder::Cost cost(const ConvolutionBackwardProblem& p) {
  const ladder::Cost forward = cost(static_cast<const ConvolutionProblem&>(p));
  const auto numbers = static_cast<double>(2 * (p.input.size() + p.weight.size()) + p.output_gradient.size() +
                                           p.bias.size());
  return {.flops = 2 * forward.flops + static_cast<double>(p.output_gradient.size()),
          .bytes = 4 * numbers,
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
