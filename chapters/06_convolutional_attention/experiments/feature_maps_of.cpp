#include "experiments/feature_maps_of.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "convolution.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

namespace {

constexpr int kernel_side = 5;
constexpr int edges = 8;

/// One filter's weight (across, down) from the middle: the derivative of a Gaussian along a direction, or its Laplacian, so scaled
/// that the sizes of its weights sum to 2.
float weight_of(int filter, int down, int across) {
  const double bell = std::exp(-(down * down + across * across) / 2.0);
  if (filter < edges) {
    const double angle = 2 * std::numbers::pi * filter / edges;
    return static_cast<float>(bell * (across * std::cos(angle) + down * std::sin(angle)));
  }
  const double blob = bell * (2 - down * down - across * across);
  return static_cast<float>(filter == edges ? blob : -blob);
}

}  // namespace

const std::vector<std::string>& filter_names() {
  // Named by the side on which it is brighter.
  static const std::vector<std::string> names{"right", "lower right", "below", "lower left", "left",
                                              "upper left", "above", "upper right", "bright blob", "dark blob"};
  return names;
}

tensor::Tensor<4> feature_maps_of(const datasets::ImageSet& pictures, std::span<const Index> which) {
  const std::size_t filters = filter_names().size();
  const std::size_t height = pictures.images.shape()[1];
  const std::size_t width = pictures.images.shape()[2];
  ConvolutionProblem p;
  p.input = tensor::empty<4>({which.size(), 1, height, width});
  float* to = p.input.data();
  for (const Index picture : which)
    to = std::transform(pictures.images.data() + picture * static_cast<Index>(height * width),
                        pictures.images.data() + (picture + 1) * static_cast<Index>(height * width), to,
                        [](std::uint8_t grey) { return static_cast<float>(grey) / 255; });
  p.weight = tensor::empty<4>({filters, 1, kernel_side, kernel_side});
  p.bias = tensor::empty<1>({filters});
  p.bias.fill(0);
  for (std::size_t f = 0; f < filters; ++f) {
    float* weight = p.weight.data() + f * kernel_side * kernel_side;
    float sizes = 0;
    float sum = 0;
    for (int i = 0; i < kernel_side * kernel_side; ++i) {
      weight[i] = weight_of(static_cast<int>(f), i / kernel_side - kernel_side / 2, i % kernel_side - kernel_side / 2);
      sum += weight[i];
    }
    // No answer to an even grey.
    for (int i = 0; i < kernel_side * kernel_side; ++i) {
      weight[i] -= sum / (kernel_side * kernel_side);
      sizes += std::abs(weight[i]);
    }
    for (int i = 0; i < kernel_side * kernel_side; ++i) weight[i] *= 2 / sizes;
  }
  ConvolutionOutput maps;
  convolution_tiled(p, maps);
  for (float& x : maps.output) x = std::max(x, 0.F);
  return std::move(maps.output);
}

}  // namespace attention::convolutional
