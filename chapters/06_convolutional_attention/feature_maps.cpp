#include "feature_maps.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "machine/caches.hpp"
#include "numerics/error_bound.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

void prepare(const FeatureMaps& maps, GatedMaps& out) {
  const std::array gate{maps.input.shape()[0], maps.input.shape()[1]};
  if (!std::ranges::equal(out.output.shape(), maps.input.shape()))
    out.output = tensor::empty<4>({gate[0], gate[1], maps.input.shape()[2], maps.input.shape()[3]});
  if (!std::ranges::equal(out.gate.shape(), gate)) out.gate = tensor::empty<2>(gate);
}

Tensor<4> make_maps(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const auto size = [&shape](const char* key) { return static_cast<std::size_t>(shape[key]); };
  auto maps = tensor::empty<4>({size("batch"), size("channels"), size("height"), size("width")});
  numerics::Random random(seed);
  for (float& x : maps) x = random.normal();

  const std::size_t places = size("height") * size("width");
  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& x : maps) x *= 1e4F;
      break;
    case ladder::Hardness::equal_keys:
      // Below 0: a maximum that starts from 0 is wrong here.
      maps.fill(-1.5F);
      break;
    case ladder::Hardness::outlier:
      // The last place of every map: what ends one row or one lane too early does not see it.
      for (std::size_t last = places; last <= maps.size(); last += places) maps.data()[last - 1] *= 1000;
      break;
    case ladder::Hardness::tiny:
      for (float& x : maps) {
        const double which = random.uniform();
        x *= which < 0.4 ? 1e-40F : which < 0.8 ? -0.F : 1.F;
      }
      break;
  }
  return maps;
}

Tensor<4> take_images(const Tensor<4>& maps, std::span<const Index> images) {
  const Index size = static_cast<Index>(maps.size()) / tensor::extent(maps, 0);
  auto part = tensor::empty<4>({images.size(), maps.shape()[1], maps.shape()[2], maps.shape()[3]});
  float* to = part.data();
  for (const Index image : images) to = std::copy_n(maps.data() + image * size, size, to);
  return part;
}

namespace {

/// Every image goes `times` between memory and caches, and what of it does not fit once more.
double image_bytes(const FeatureMaps& maps, double times) {
  const double image = 4 * static_cast<double>(maps.image_size());
  const double again = std::max(0.0, image - static_cast<double>(machine::caches().last_level_bytes()));
  return static_cast<double>(maps.batch()) * (times * image + again);
}

/// Root of a sum of squares; 0 where that is not finite.
double norm_of(const Tensor<2>& matrix, std::size_t first, std::size_t step, std::size_t count) {
  double squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto x = static_cast<double>(matrix.data()[first + i * step]);
    squares += x * x;
  }
  return std::isfinite(squares) ? std::sqrt(squares) : 0;
}

}  // namespace

double gated_bytes(const FeatureMaps& maps) { return image_bytes(maps, 2); }
double gated_backward_bytes(const FeatureMaps& maps) { return image_bytes(maps, 3); }

Tensor<4> make_output_gradient(const FeatureMaps& maps, std::uint64_t seed) {
  Tensor<4> gradient(maps.input.shape());
  numerics::Random random(~seed);
  for (float& g : gradient) g = random.normal();
  return gradient;
}

double sigmoid_error(double largest_slope, double argument_error) {
  return std::min(0.25, largest_slope * std::exp(argument_error)) * argument_error + 4 * numerics::unit_roundoff;
}

double largest_row_norm(const Tensor<2>& matrix) {
  const std::size_t columns = matrix.shape()[1];
  double largest = 0;
  for (std::size_t row = 0; row < matrix.shape()[0]; ++row) largest = std::max(largest, norm_of(matrix, row * columns, 1, columns));
  return largest;
}

double largest_column_norm(const Tensor<2>& matrix) {
  const std::size_t columns = matrix.shape()[1];
  double largest = 0;
  for (std::size_t column = 0; column < columns; ++column)
    largest = std::max(largest, norm_of(matrix, column, columns, matrix.shape()[0]));
  return largest;
}

std::vector<ladder::ShapeKey> map_keys() {
  return {{"batch", "images", 1, "", 1, {1, 2, 3, 5}},
          {"channels", "maps of an image", 64, "", 1, {1, 2, 3, 8, 17, 33, 64, 65}},
          {"height", "rows of a map", 56, "", 1, {1, 2, 3, 7, 8, 17, 33}},
          {"width", "columns of a map", 56, "height", 1, {1, 2, 3, 7, 16, 17, 33, 61, 130}}};
}

std::vector<std::pair<std::string, Index>> map_sizes(const FeatureMaps& maps) {
  return {{"batch", maps.batch()}, {"channels", maps.channels()}, {"height", maps.height()}, {"width", maps.width()}};
}

double map_elements(const ladder::Shape& shape) {
  double product = 1;
  for (const char* key : {"batch", "channels", "height", "width"}) product *= static_cast<double>(shape[key]);
  return product;
}

void require_equal(const char* tensor, const char* axis, Index found, const char* of, Index wanted) {
  if (found != wanted)
    throw program::UserError(fmt::format("{}: it has {} {}, but {} has {}; they must be equal", tensor, found, axis, of, wanted));
}

Tensor<4> output_gradient_of(const ladder::Inputs& inputs, const Tensor<4>& like) {
  Tensor<4> gradient = inputs.tensor<4>(inputs.size() - 1, 2);
  constexpr const char* axes[] = {"images", "channels", "rows", "columns"};
  for (int axis = 0; axis < 4; ++axis) require_equal("output_gradient", axes[axis], tensor::extent(gradient, axis), "the output", tensor::extent(like, axis));
  return gradient;
}

}  // namespace attention::convolutional
