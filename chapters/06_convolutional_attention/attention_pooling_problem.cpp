#include <algorithm>
#include <cmath>

#include "attention_pooling.hpp"
#include "numerics/random.hpp"

namespace attention::convolutional {

void prepare(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  const auto& shape = p.input.shape();
  const std::array channels{shape[0], shape[1]};
  const std::array places{shape[0], shape[2], shape[3]};
  if (!std::ranges::equal(out.output.shape(), channels)) out.output = tensor::empty<2>(channels);
  if (!std::ranges::equal(out.weights.shape(), places)) out.weights = tensor::empty<3>(places);
}

AttentionPoolingProblem make_attention_pooling(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  AttentionPoolingProblem p;
  p.input = make_maps(shape, seed, hardness);
  p.weight = tensor::empty<1>({static_cast<std::size_t>(shape["channels"])});
  numerics::Random random(seed + 1);
  for (float& w : p.weight) w = random.normal() / std::sqrt(static_cast<float>(shape["channels"]));
  return p;
}

AttentionPoolingProblem take_images(const AttentionPoolingProblem& p, std::span<const Index> images) {
  return {{take_images(p.input, images)}, p.weight};
}

ladder::Cost cost(const AttentionPoolingProblem& p) {
  const auto elements = static_cast<double>(p.input.size());
  const auto places = static_cast<double>(p.batch() * p.places());
  const auto outputs = static_cast<double>(p.batch() * p.channels());
  return {.flops = 4 * elements,
          .bytes = 4 * (elements + static_cast<double>(p.channels()) + outputs + places),
          .exps = places,
          .reciprocals = static_cast<double>(p.batch())};
}

}  // namespace attention::convolutional
