// The layers of networks that are only used: the convolution's ways against the plain loops in float64, at sizes where blocks,
// strips and threads matter. (The conformance tests hold them against the standard's text, at small sizes.)
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "layers/batch_normalization.hpp"
#include "layers/convolution_paths.hpp"
#include "layers/pooling.hpp"
#include "machine/affinity.hpp"
#include "numerics/error_bound.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

std::vector<float> normal(std::uint64_t seed, Index count) {
  numerics::Random random(seed);
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (float& x : numbers) x = random.normal();
  return numbers;
}

struct Shapes {
  std::vector<Index> input, weight;
  WindowAttributes window;
  Index groups = 1;
};

std::vector<Shapes> shapes() {
  WindowAttributes same;
  same.auto_pad = AutoPad::same_upper;
  WindowAttributes strided;
  strided.strides = {2, 1};
  strided.pads = {1, 0, 2, 3};
  strided.dilations = {1, 2};
  WindowAttributes lower = strided;
  lower.pads.clear();
  lower.auto_pad = AutoPad::same_lower;
  return {
      {{1, 3, 31, 45}, {8, 3, 3, 3}, same},           // several blocks, the last one narrow
      {{2, 40, 9, 7}, {200, 40, 1, 1}, {}},           // few outputs: strips of channels
      {{1, 300, 1, 1}, {17, 300, 1, 1}, {}},          // one output: sums that start anew
      {{1, 64, 12, 12}, {7, 64, 5, 5}, same},         // depth 1600: several parts of the depth
      {{3, 12, 17, 19}, {30, 4, 3, 2}, strided, 3},   // groups
      {{2, 16, 33, 40}, {16, 1, 3, 3}, lower, 16},    // depthwise
      {{2, 5, 20, 100}, {15, 1, 5, 5}, strided, 5},   // depthwise, three outputs a channel
      {{1, 2, 1000}, {3, 2, 9}, {}},                  // one axis
      {{1, 3, 6, 7, 8}, {10, 3, 2, 3, 2}, {}},        // three
      {{2, 3, 4, 5, 6}, {3, 1, 3, 3, 3}, same, 3},
  };
}

Index product(const std::vector<Index>& lengths) { return checked_size(lengths, "a test"); }

/// Largest difference from the oracle, as a share of what rounding allows.
template <class Path>
double share_of(const Shapes& s, Path path) {
  const ConvolutionLayer layer = convolution_layer(s.input, s.weight, s.window, s.groups);
  const auto input = normal(1, product(s.input)), weight = normal(2, product(s.weight)), bias = normal(3, s.weight[0]);
  double sums = 0;
  const std::vector<double> exact = convolve_plain(layer, input.data(), weight.data(), bias.data(), &sums);
  std::vector<float> found(exact.size(), std::numeric_limits<float>::quiet_NaN());
  path(layer, input.data(), weight.data(), bias.data(), found.data());
  double worst = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - exact[i]);
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
  }
  return worst / (sums * numerics::sum_error(static_cast<double>(layer.depth())));
}

}  // namespace

TEST_CASE("layers: each way to convolve agrees with plain loops in float64", "[layers]") {
  for (const int threads : {1, 2, 3}) {
    const machine::ThreadScope scope(threads);
    for (const Shapes& s : shapes()) {
      INFO(s.input.size() - 2 << " axes, " << s.weight[0] << " output channels, " << threads << " threads");
      CHECK(share_of(s, convolve_by_patches) < 1);
      if (s.weight[1] == 1) CHECK(share_of(s, convolve_by_taps) < 1);
      CHECK(share_of(s, convolve) < 1);
    }
  }
  // The bound is near enough for one forgotten product to break it.
  const Shapes s = shapes()[3];
  CHECK(share_of(s, [](const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output) {
          std::vector<float> less(weight, weight + layer.out_channels * layer.depth());
          less.back() = 0;
          convolve(layer, input, less.data(), bias, output);
        }) > 1);
}

TEST_CASE("layers: a convolution has the same bits with any number of threads", "[layers]") {
  for (const Shapes& s : shapes()) {
    const ConvolutionLayer layer = convolution_layer(s.input, s.weight, s.window, s.groups);
    const auto input = normal(1, product(s.input)), weight = normal(2, product(s.weight));
    std::vector<float> one(static_cast<std::size_t>(product(layer.output_shape()))), other(one.size());
    {
      const machine::ThreadScope scope(1);
      convolve(layer, input.data(), weight.data(), nullptr, one.data());
    }
    const machine::ThreadScope scope(3);
    convolve(layer, input.data(), weight.data(), nullptr, other.data());
    CHECK(one == other);
  }
}

TEST_CASE("layers: a weight that is not finite meets the border's zeros", "[layers]") {
  WindowAttributes window;
  window.pads = {1, 1};
  const ConvolutionLayer layer = convolution_layer(std::array<Index, 3>{1, 1, 3}, std::array<Index, 3>{1, 1, 3}, window, 1);
  const std::vector<float> input{1, 2, 3}, weight{std::numeric_limits<float>::infinity(), 1, 1};
  std::vector<float> output(3);
  convolve(layer, input.data(), weight.data(), nullptr, output.data());
  CHECK(std::isnan(output[0]));
  CHECK(output[1] == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(convolve_plain(layer, input.data(), weight.data(), nullptr)[0]));
}

TEST_CASE("layers: windows that make no sense are refused before memory is taken", "[layers]") {
  const auto window = [](std::vector<Index> spatial, auto change) {
    WindowAttributes attributes;
    attributes.kernel.assign(spatial.size(), 2);
    change(attributes);
    return window_over(spatial, attributes);
  };
  CHECK(window({5, 6}, [](auto&) {}).output_shape() == std::vector<Index>{4, 5});
  const Index most = std::numeric_limits<Index>::max();
  CHECK_THROWS_AS(window({most, 6}, [](auto&) {}), program::UserError);
  CHECK_THROWS_AS(window({1 << 30, 1 << 30}, [](auto&) {}), program::UserError);
  CHECK_THROWS_AS(window({1 << 30, 1 << 20, 0}, [](auto& a) { a.kernel = {1, 1, 1}, a.pads = {0, 0, 9, 0, 0, 9}; }), program::UserError);
  CHECK_THROWS_AS(window({5}, [&](auto& a) { a.pads = {most, most}; }), program::UserError);
  CHECK_THROWS_AS(window({5}, [&](auto& a) { a.strides = {most}; }), program::UserError);
  CHECK_THROWS_AS(window({5}, [&](auto& a) { a.kernel = {most}; }), program::UserError);
  CHECK_THROWS_AS(window({5, 5, 5, 5}, [](auto&) {}), program::UserError);
  CHECK_THROWS_AS(window({}, [](auto&) {}), program::UserError);
  CHECK_THROWS_AS(convolution_layer(std::array<Index, 3>{most, most, 5}, std::array<Index, 3>{1, most, 1}, {}, 1), program::UserError);
  // Great numbers that fit do not take long: only taps that meet the input are visited.
  const Window wide = window({3}, [](auto& a) { a.kernel = {1 << 20}, a.pads = {1 << 19, 1 << 19}; });
  std::vector<float> input{1, 7, 2}, output(static_cast<std::size_t>(wide.outputs()));
  max_pool(wide, 1, input.data(), output.data());
  CHECK(output == std::vector<float>(output.size(), 7));
}

TEST_CASE("layers: a window that meets no input has no maximum and no mean", "[layers]") {
  WindowAttributes attributes;
  attributes.kernel = {2};
  attributes.dilations = {3};
  attributes.pads = {1, 1};
  const Window window = window_over(std::array<Index, 1>{2}, attributes);
  const std::vector<float> input{5, 6};
  const std::vector<std::uint8_t> bytes{5, 6};
  std::vector<float> output(1);
  std::vector<std::uint8_t> least(1, 9);
  std::int64_t place = 0;
  max_pool(window, 1, input.data(), output.data(), {&place});
  CHECK(output[0] == -std::numeric_limits<float>::infinity());
  CHECK(place == -1);
  max_pool(window, 1, bytes.data(), least.data());
  CHECK(least[0] == 0);
  average_pool(window, 1, input.data(), false, output.data());
  CHECK(std::isnan(output[0]));
  average_pool(window, 1, input.data(), true, output.data());
  CHECK(output[0] == 0);
}
