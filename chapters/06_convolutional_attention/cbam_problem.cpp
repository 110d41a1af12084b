#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cbam.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

void prepare(const CbamProblem& p, CbamOutput& out) {
  const auto& shape = p.input.shape();
  const std::array channels{shape[0], shape[1]};
  const std::array places{shape[0], shape[2], shape[3]};
  if (!std::ranges::equal(out.output.shape(), shape)) out.output = tensor::empty<4>({shape[0], shape[1], shape[2], shape[3]});
  if (!std::ranges::equal(out.channel_gate.shape(), channels)) out.channel_gate = tensor::empty<2>(channels);
  if (!std::ranges::equal(out.spatial_gate.shape(), places)) out.spatial_gate = tensor::empty<3>(places);
}

CbamProblem make_cbam(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const Index side = shape["kernel"];
  if (side % 2 == 0)
    throw program::UserError(
        fmt::format("shape: kernel={} is even; a kernel with a middle is odd: give {} or {}", side, side - 1, side + 1));
  CbamProblem p;
  p.input = make_maps(shape, seed, hardness);
  p.reduction = shape["reduction"];
  const auto channels = static_cast<std::size_t>(shape["channels"]);
  const auto hidden = static_cast<std::size_t>(std::max<Index>(shape["channels"] / p.reduction, 1));
  const auto kernel = static_cast<std::size_t>(side);
  numerics::Random random(seed + 1);
  const auto fill = [&random](auto& tensor, std::size_t inputs) {
    const float spread = 1 / std::sqrt(static_cast<float>(inputs));
    for (float& w : tensor) w = spread * random.normal();
  };
  p.reduce_weight = tensor::empty<2>({hidden, channels});
  p.expand_weight = tensor::empty<2>({channels, hidden});
  p.spatial_weight = tensor::empty<3>({2, kernel, kernel});
  fill(p.reduce_weight, channels);
  fill(p.expand_weight, hidden);
  fill(p.spatial_weight, 2 * kernel * kernel);
  return p;
}

CbamProblem take_images(const CbamProblem& p, std::span<const Index> images) {
  return {{take_images(p.input, images)}, p.reduce_weight, p.expand_weight, p.spatial_weight, p.reduction};
}

ladder::Cost cost(const CbamProblem& p) {
  const auto batch = static_cast<double>(p.batch());
  const auto elements = static_cast<double>(p.input.size());
  const auto places = batch * static_cast<double>(p.places());
  const auto channels = batch * static_cast<double>(p.channels());
  const auto weights = static_cast<double>(p.reduce_weight.size() + p.expand_weight.size());
  const auto taps = static_cast<double>(p.spatial_weight.size());
  return {.flops = 5 * elements + 4 * batch * weights + 2 * places * taps,
          .bytes = gated_bytes(p) + 4 * (weights + taps + channels + places),
          .exps = channels + places,
          .reciprocals = channels + places};
}

Index cbam_parameters(Index channels, Index reduction, Index kernel) {
  return 2 * channels * std::max<Index>(channels / reduction, 1) + 2 * kernel * kernel;
}

}  // namespace attention::convolutional
