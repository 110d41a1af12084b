#include <algorithm>
#include <cmath>

#include "bam.hpp"
#include "convolution.hpp"
#include "numerics/random.hpp"

namespace attention::convolutional {

void prepare(const BamProblem& p, BamOutput& out) {
  const auto& shape = p.input.shape();
  const std::array channels{shape[0], shape[1]};
  const std::array places{shape[0], shape[2], shape[3]};
  if (!std::ranges::equal(out.output.shape(), shape)) out.output = tensor::empty<4>({shape[0], shape[1], shape[2], shape[3]});
  if (!std::ranges::equal(out.channel_branch.shape(), channels)) out.channel_branch = tensor::empty<2>(channels);
  if (!std::ranges::equal(out.spatial_branch.shape(), places)) out.spatial_branch = tensor::empty<3>(places);
}

BamProblem make_bam(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  BamProblem p;
  p.input = make_maps(shape, seed, hardness);
  p.reduction = shape["reduction"];
  p.dilation = shape["dilation"];
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
  const auto make_layer = [&](BamLayer& layer, std::size_t outputs, std::size_t inputs, std::size_t kernel) {
    layer.weight = tensor::empty<4>({outputs, inputs, kernel, kernel});
    layer.bias = tensor::empty<1>({outputs});
    fill(layer.weight, inputs * kernel * kernel);
    fill(layer.bias, 4);
  };
  make_layer(p.spatial[0], hidden, channels, 1);
  make_layer(p.spatial[1], hidden, hidden, 3);
  make_layer(p.spatial[2], hidden, hidden, 3);
  make_layer(p.spatial[3], 1, hidden, 1);
  return p;
}

BamProblem take_images(const BamProblem& p, std::span<const Index> images) {
  return {{take_images(p.input, images)}, p.reduce_weight, p.reduce_bias, p.expand_weight, p.expand_bias, p.spatial, p.reduction,
          p.dilation};
}

ladder::Cost cost(const BamProblem& p) {
  const auto batch = static_cast<double>(p.batch());
  const auto elements = static_cast<double>(p.input.size());
  const auto places = batch * static_cast<double>(p.places());
  const auto channels = batch * static_cast<double>(p.channels());
  const auto hidden = static_cast<double>(p.hidden());
  double weights = static_cast<double>(p.reduce_weight.size() + p.expand_weight.size());
  const double products = 2 * batch * weights;
  double layers = 2 * places * hidden;
  for (const BamLayer& layer : p.spatial) {
    weights += static_cast<double>(layer.weight.size());
    if (layer.kernel() > 1)
      layers += 2 * batch * hidden * hidden * pairs_inside(p.height(), layer.kernel(), p.dilation) *
                pairs_inside(p.width(), layer.kernel(), p.dilation);
  }
  return {.flops = (5 + 2 * hidden) * elements + products + layers,
          .bytes = gated_bytes(p) + 4 * (weights + channels + places),
          .exps = channels + places,
          .reciprocals = 0};
}

Index bam_parameters(Index channels, Index reduction) {
  const Index hidden = std::max<Index>(channels / reduction, 1);
  const Index channel_branch = 2 * channels * hidden + hidden + channels;
  const Index spatial_branch = (channels + 1) * hidden + 2 * (9 * hidden + 1) * hidden + hidden + 1;
  return channel_branch + spatial_branch;
}

}  // namespace attention::convolutional
