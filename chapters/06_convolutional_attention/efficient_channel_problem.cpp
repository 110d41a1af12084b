#include <fmt/format.h>

#include <cmath>

#include "efficient_channel.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

Index efficient_channel_kernel(Index channels) {
  const auto t = static_cast<Index>((std::log2(static_cast<double>(channels)) + 1) / 2);
  return t % 2 == 1 ? t : t + 1;
}

EfficientChannelProblem make_efficient_channel(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const Index kernel = shape["kernel"] == 0 ? efficient_channel_kernel(shape["channels"]) : shape["kernel"];
  if (kernel % 2 == 0)
    throw program::UserError(
        fmt::format("shape: kernel={} is even; a kernel with a middle is odd: give {} or {}", kernel, kernel - 1, kernel + 1));
  EfficientChannelProblem p;
  p.input = make_maps(shape, seed, hardness);
  p.weight = tensor::empty<1>({static_cast<std::size_t>(kernel)});
  numerics::Random random(seed + 1);
  for (float& w : p.weight) w = random.normal() / std::sqrt(static_cast<float>(kernel));
  return p;
}

EfficientChannelProblem take_images(const EfficientChannelProblem& p, std::span<const Index> images) {
  return {{take_images(p.input, images)}, p.weight};
}

ladder::Cost cost(const EfficientChannelProblem& p) {
  const auto elements = static_cast<double>(p.input.size());
  const auto gates = static_cast<double>(p.batch() * p.channels());
  return {.flops = 2 * elements + 2 * gates * static_cast<double>(p.kernel()),
          .bytes = gated_bytes(p) + 4 * (static_cast<double>(p.kernel()) + gates),
          .exps = gates,
          .reciprocals = gates};
}

}  // namespace attention::convolutional
