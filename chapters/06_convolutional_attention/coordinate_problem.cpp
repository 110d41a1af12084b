#include <algorithm>
#include <cmath>

#include "coordinate.hpp"
#include "numerics/random.hpp"

namespace attention::convolutional {

void prepare(const CoordinateProblem& p, CoordinateOutput& out) {
  const auto& shape = p.input.shape();
  const std::array rows{shape[0], shape[1], shape[2]};
  const std::array columns{shape[0], shape[1], shape[3]};
  if (!std::ranges::equal(out.output.shape(), shape)) out.output = tensor::empty<4>({shape[0], shape[1], shape[2], shape[3]});
  if (!std::ranges::equal(out.row_gate.shape(), rows)) out.row_gate = tensor::empty<3>(rows);
  if (!std::ranges::equal(out.column_gate.shape(), columns)) out.column_gate = tensor::empty<3>(columns);
}

CoordinateProblem make_coordinate(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  CoordinateProblem p;
  p.input = make_maps(shape, seed, hardness);
  p.reduction = shape["reduction"];
  const auto channels = static_cast<std::size_t>(shape["channels"]);
  const auto hidden = static_cast<std::size_t>(coordinate_hidden(shape["channels"], p.reduction));
  numerics::Random random(seed + 1);
  const auto fill = [&random](auto& tensor, std::size_t inputs) {
    const float spread = 1 / std::sqrt(static_cast<float>(inputs));
    for (float& w : tensor) w = spread * random.normal();
  };
  const auto make_layer = [&](Tensor<2>& weight, Tensor<1>& bias, std::size_t outputs, std::size_t inputs) {
    weight = tensor::empty<2>({outputs, inputs});
    bias = tensor::empty<1>({outputs});
    fill(weight, inputs);
    fill(bias, 4);
  };
  make_layer(p.reduce_weight, p.reduce_bias, hidden, channels);
  make_layer(p.row_weight, p.row_bias, channels, hidden);
  make_layer(p.column_weight, p.column_bias, channels, hidden);
  return p;
}

CoordinateProblem take_images(const CoordinateProblem& p, std::span<const Index> images) {
  return {{take_images(p.input, images)}, p.reduce_weight, p.reduce_bias, p.row_weight, p.row_bias, p.column_weight, p.column_bias,
          p.reduction};
}

ladder::Cost cost(const CoordinateProblem& p) {
  const auto elements = static_cast<double>(p.input.size());
  const auto lines = static_cast<double>(p.batch() * p.lines());
  const auto channels = static_cast<double>(p.channels());
  const auto hidden = static_cast<double>(p.hidden());
  return {.flops = 4 * elements + 4 * lines * channels * hidden,
          .bytes = gated_bytes(p) + 4 * (3 * channels * hidden + lines * channels),
          .exps = lines * channels,
          .reciprocals = lines * channels};
}

Index coordinate_hidden(Index channels, Index reduction) { return std::max<Index>(channels / reduction, 8); }

Index coordinate_parameters(Index channels, Index reduction) {
  const Index hidden = coordinate_hidden(channels, reduction);
  return (channels + 1) * hidden + 2 * (hidden + 1) * channels;
}

}  // namespace attention::convolutional
