#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "convolution.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

void prepare(const ConvolutionProblem& p, ConvolutionOutput& out) {
  const std::array shape{p.input.shape()[0], p.weight.shape()[0], p.input.shape()[2], p.input.shape()[3]};
  if (!std::ranges::equal(out.output.shape(), shape)) out.output = tensor::empty<4>(shape);
}

ConvolutionProblem make_convolution(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const auto size = [&shape](const char* key) { return static_cast<std::size_t>(shape[key]); };
  if (shape["kernel"] % 2 == 0)
    throw program::UserError(fmt::format("shape: kernel={} is even; a kernel with a middle is odd: give {} or {}", shape["kernel"],
                                         shape["kernel"] - 1, shape["kernel"] + 1));
  ConvolutionProblem p;
  p.dilation = shape["dilation"];
  p.input = tensor::empty<4>({size("batch"), size("in_channels"), size("height"), size("width")});
  p.weight = tensor::empty<4>({size("out_channels"), size("in_channels"), size("kernel"), size("kernel")});
  p.bias = tensor::empty<1>({size("out_channels")});
  numerics::Random random(seed);
  const float spread = 1 / std::sqrt(static_cast<float>(p.depth()));
  for (float& x : p.input) x = random.normal();
  for (float& w : p.weight) w = spread * random.normal();
  for (float& b : p.bias) b = random.normal();

  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& x : p.input) x *= 1e4F;
      break;
    case ladder::Hardness::equal_keys:
      p.input.fill(1.5F);
      break;
    case ladder::Hardness::outlier:
      // The last pixel of every plane: what ends one row or one lane too early does not see it.
      for (std::size_t last = size("height") * size("width"); last <= p.input.size(); last += size("height") * size("width"))
        p.input.data()[last - 1] = 1000;
      break;
    case ladder::Hardness::tiny:
      for (float& x : p.input) {
        const double which = random.uniform();
        x *= which < 0.4 ? 1e-40F : which < 0.8 ? -0.F : 1.F;
      }
      break;
  }
  return p;
}

ConvolutionProblem take_out_channels(const ConvolutionProblem& p, std::span<const Index> channels) {
  ConvolutionProblem part;
  part.input = p.input;
  part.dilation = p.dilation;
  part.weight = tensor::empty<4>({channels.size(), p.weight.shape()[1], p.weight.shape()[2], p.weight.shape()[3]});
  part.bias = tensor::empty<1>({channels.size()});
  float* weight = part.weight.data();
  float* bias = part.bias.data();
  for (const Index o : channels) {
    weight = std::copy_n(p.weight.data() + o * p.depth(), p.depth(), weight);
    *bias++ = p.bias.data()[o];
  }
  return part;
}

double pairs_inside(Index side, Index kernel, Index dilation) {
  Index pairs = side;
  for (Index tap = 1; tap <= kernel / 2; ++tap) pairs += 2 * std::max<Index>(side - tap * dilation, 0);
  return static_cast<double>(pairs);
}

ladder::Cost cost(const ConvolutionProblem& p) {
  const double planes = static_cast<double>(p.batch() * p.in_channels() * p.out_channels());
  const double numbers = static_cast<double>(p.batch() * p.pixels() * (p.in_channels() + p.out_channels()) +
                                             p.out_channels() * (p.depth() + 1));
  return {.flops = 2 * planes * pairs_inside(p.height(), p.kernel(), p.dilation) * pairs_inside(p.width(), p.kernel(), p.dilation),
          .bytes = 4 * numbers,
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
