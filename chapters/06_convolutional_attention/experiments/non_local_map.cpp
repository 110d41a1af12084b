#include "experiments/non_local_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numbers>
#include <numeric>

#include "convolution.hpp"
#include "experiments/places_for_half.hpp"
#include "non_local.hpp"
#include "program/heat_map.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"
#include "rungs/convolution_rungs.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

namespace {

constexpr Index patch_side = 5;
constexpr Index patch_size = patch_side * patch_side;

/// Cosines of low frequency that a patch is compared by.
constexpr std::array<std::array<Index, 2>, 12> frequencies{
    {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 2}, {2, 0}, {1, 2}, {2, 1}, {0, 3}, {3, 0}, {2, 2}, {1, 3}}};
constexpr std::size_t left_to_right = 1;  ///< positions in `frequencies`: brighter on the left than on the right
constexpr std::size_t top_to_bottom = 2;  ///< brighter at the top than at the bottom

/// Patches have length 1, so a score is at most this: how sharply a pixel chooses.
constexpr float sharpness = 30;

/// Every pixel's surroundings as 25 channels of length 1: a convolution whose kernels hold a single 1 each shifts the picture
/// 25 ways. Grey from −1/2 to 1/2, so that dark and bright are opposites.
Tensor<4> patches(const std::uint8_t* picture, std::size_t height, std::size_t width) {
  ConvolutionProblem p;
  p.input = tensor::empty<4>({1, 1, height, width});
  std::transform(picture, picture + height * width, p.input.data(), [](std::uint8_t grey) { return static_cast<float>(grey) / 255 - 0.5F; });
  p.weight = tensor::empty<4>({patch_size, 1, patch_side, patch_side});
  p.weight.fill(0);
  for (std::size_t tap = 0; tap < patch_size; ++tap) p.weight.data()[tap * patch_size + tap] = 1;
  p.bias = tensor::empty<1>({patch_size});
  p.bias.fill(0);
  ConvolutionOutput shifted;
  convolution_tiled(p, shifted);

  const std::size_t positions = height * width;
  for (std::size_t i = 0; i < positions; ++i) {
    float squares = 1e-6F;
    for (std::size_t tap = 0; tap < patch_size; ++tap) squares += shifted.output.data()[tap * positions + i] * shifted.output.data()[tap * positions + i];
    for (std::size_t tap = 0; tap < patch_size; ++tap) shifted.output.data()[tap * positions + i] /= std::sqrt(squares);
  }
  return std::move(shifted.output);
}

/// One cosine filter, of length 1, at one place of the patch (the discrete cosine transform, Ahmed et al. 1974).
float cosine(const std::array<Index, 2>& frequency, Index tap) {
  const auto side = [](Index order, Index at) {
    const double scale = std::sqrt((order == 0 ? 1.0 : 2.0) / patch_side);
    return scale * std::cos(std::numbers::pi * static_cast<double>((2 * at + 1) * order) / (2.0 * patch_side));
  };
  return static_cast<float>(side(frequency[0], tap / patch_side) * side(frequency[1], tap % patch_side));
}

/// The block over one picture: θ = φ, the cosine filters. What it adds to the picture is not looked at: W_z = 0.
NonLocalProblem block_over(const std::uint8_t* picture, std::size_t height, std::size_t width) {
  NonLocalProblem p;
  p.input = patches(picture, height, width);
  p.theta = tensor::empty<2>({frequencies.size(), patch_size});
  for (std::size_t e = 0; e < frequencies.size(); ++e)
    for (Index tap = 0; tap < patch_size; ++tap)
      p.theta(e, static_cast<std::size_t>(tap)) = std::sqrt(sharpness) * cosine(frequencies[e], tap);
  p.phi = p.theta;
  p.g = p.theta;
  p.out_weight = tensor::empty<2>({patch_size, frequencies.size()});
  p.out_weight.fill(0);
  return p;
}

/// The position whose patch answers most to one filter.
Index strongest(const NonLocalProblem& p, std::size_t filter) {
  Index best = 0;
  float largest = -1e9F;
  for (Index i = 0; i < p.positions(); ++i) {
    float answer = 0;
    for (Index tap = 0; tap < patch_size; ++tap)
      answer += p.theta(filter, static_cast<std::size_t>(tap)) * p.input.data()[tap * p.positions() + i];
    if (answer > largest) {
      largest = answer;
      best = i;
    }
  }
  return best;
}

struct Query {
  std::string what;
  Index position;
};

/// Share of the weight that lies outside the query's own patch: what a 5×5 convolution could not reach.
double share_beyond_patch(const float* weights, Index query, Index height, Index width) {
  double beyond = 0;
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      if (std::max(std::abs(y - query / width), std::abs(x - query % width)) > patch_side / 2)
        beyond += static_cast<double>(weights[y * width + x]);
  return beyond;
}

}  // namespace

void non_local_map(const ladder::ChapterRun& run, const datasets::FashionMnist& data) {
  // The first test picture of a pullover.
  const auto& labels = data.test.labels;
  const auto found = std::ranges::find(labels, 2);
  const Index which = found == labels.end() ? 0 : found - labels.begin();
  const Index height = tensor::extent(data.test.images, 1);
  const Index width = tensor::extent(data.test.images, 2);
  const std::uint8_t* picture = data.test.images.data() + which * height * width;

  const NonLocalProblem p = block_over(picture, static_cast<std::size_t>(height), static_cast<std::size_t>(width));
  NonLocalOutput out;
  non_local_simd(p, out);

  const std::vector<Query> queries{{"a right edge", strongest(p, left_to_right)},
                                   {"a lower edge", strongest(p, top_to_bottom)},
                                   {"the bright inside", strongest(p, 0)},
                                   {"the dark corner", 0}};
  record::AttentionRecord record;
  record.title = "Where single pixels look, in a non-local block with fixed filters";
  record.real = data.real;
  record.machine = run.results.machine();
  record.weights = tensor::empty<4>({1, 1, queries.size(), static_cast<std::size_t>(p.positions())});
  program::Table table({{"a pixel on"}, {"row, column"}, {"places with half of its weight"}, {"weight beyond its 5 × 5"}});
  Json rows = Json::array();
  float* to = record.weights.data();
  std::vector<std::string> names;
  for (const auto& [what, position] : queries) {
    const float* weights = out.weights.data() + position * p.positions();
    to = std::copy_n(weights, p.positions(), to);
    const std::string place = fmt::format("{}, {}", position / width, position % width);
    names.push_back(fmt::format("{} ({})", what, place));
    const Index half = places_for_half(weights, p.positions());
    const double beyond = share_beyond_patch(weights, position, height, width);
    table.add({what, place, fmt::format("{} of {}", half, p.positions()), fmt::format("{:.0f} %", 100 * beyond)});
    rows.push_back({{"a pixel on", what}, {"row", position / width}, {"column", position % width},
                    {"places with half of its weight", half}, {"weight beyond its 5 × 5", beyond}});
  }
  auto pixels = tensor::empty<2, std::uint8_t>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
  std::copy_n(picture, height * width, pixels.data());
  record.queries = record::tokens(names);
  record.keys = record::image({static_cast<std::size_t>(height), static_cast<std::size_t>(width)}, tensor::to_npy(pixels));
  record::write(record, run.results.folder(), "non_local_map");
  run.results.write("non_local_map", {{"sharpness", sharpness}, {"rows", rows}});

  std::cout << fmt::format("Where single pixels of one picture look{}\n{}\n", data.real ? "" : " (generated stand-in data)", table.text())
            << fmt::format("The map of {}:\n{}\n", names.front(),
                           program::heat_map_for_terminal({record.weights.data(), static_cast<std::size_t>(p.positions())},
                                                          static_cast<std::size_t>(height), static_cast<std::size_t>(width)));
}

}  // namespace attention::convolutional
