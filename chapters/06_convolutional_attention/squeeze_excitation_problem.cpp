#include <algorithm>
#include <cmath>

#include "numerics/random.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

SqueezeExcitationProblem make_squeeze_excitation(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  SqueezeExcitationProblem p;
  p.input = make_maps(shape, seed, hardness);
  p.reduction = shape["reduction"];
  const auto channels = static_cast<std::size_t>(shape["channels"]);
  const auto hidden = static_cast<std::size_t>(std::max<Index>(shape["channels"] / p.reduction, 1));
  numerics::Random random(seed + 1);
  const auto fill = [&random](auto& tensor, std::size_t inputs) {
    const float spread = 1 / std::sqrt(static_cast<float>(inputs));
    for (float& w : tensor) w = spread * random.normal();
  };
  p.reduce_weight = tensor::empty<2>({hidden, channels});
  p.reduce_bias = tensor::empty<1>({hidden});
  p.expand_weight = tensor::empty<2>({channels, hidden});
  p.expand_bias = tensor::empty<1>({channels});
  fill(p.reduce_weight, channels);
  fill(p.reduce_bias, 4);
  fill(p.expand_weight, hidden);
  fill(p.expand_bias, 4);
  return p;
}

SqueezeExcitationProblem take_images(const SqueezeExcitationProblem& p, std::span<const Index> images) {
  SqueezeExcitationProblem part{{take_images(p.input, images)}, p.reduce_weight, p.reduce_bias, p.expand_weight, p.expand_bias,
                                p.reduction};
  return part;
}

ladder::Cost cost(const SqueezeExcitationProblem& p) {
  const auto batch = static_cast<double>(p.batch());
  const auto elements = static_cast<double>(p.input.size());
  const auto weights = static_cast<double>(p.reduce_weight.size() + p.expand_weight.size());
  return {.flops = 2 * elements + 2 * batch * weights,
          .bytes = gated_bytes(p) + 4 * (weights + batch * static_cast<double>(p.channels())),
          .exps = batch * static_cast<double>(p.channels()),
          .reciprocals = batch * static_cast<double>(p.channels())};
}

Index squeeze_excitation_parameters(Index channels, Index reduction) {
  const Index hidden = std::max<Index>(channels / reduction, 1);
  return 2 * channels * hidden + hidden + channels;
}

}  // namespace attention::convolutional
