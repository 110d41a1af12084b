#include "direction_classifier.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "loaders/onnx_model.hpp"
#include "program/error.hpp"
#include "program/in_parallel.hpp"
#include "program/text.hpp"

namespace attention::convolutional {

namespace {

using tensor::Tensor;

/// The picture at another size: between the four pixels around each place, places in the middle of pixels (bilinear).
Tensor<2> scaled(const Tensor<2>& picture, Index height, Index width) {
  Tensor<2> to = tensor::empty<2>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
  struct Between {
    Index first, second;
    float share;  ///< of the second
  };
  const auto between = [](Index at, Index count, Index length) {
    const double place = std::clamp((static_cast<double>(at) + 0.5) * static_cast<double>(length) / static_cast<double>(count) - 0.5, 0.0, static_cast<double>(length - 1));
    const auto first = static_cast<Index>(place);
    return Between{first, std::min(first + 1, length - 1), static_cast<float>(place - static_cast<double>(first))};
  };
  const Index rows = tensor::extent(picture, 0);
  const Index columns = tensor::extent(picture, 1);
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      const Between v = between(y, height, rows);
      const Between h = between(x, width, columns);
      const float* above = picture.data() + v.first * columns;
      const float* below = picture.data() + v.second * columns;
      const float upper = above[h.first] * (1 - h.share) + above[h.second] * h.share;
      const float lower = below[h.first] * (1 - h.share) + below[h.second] * h.share;
      to.data()[y * width + x] = upper * (1 - v.share) + lower * v.share;
    }
  return to;
}

}  // namespace

DirectionClassifier::DirectionClassifier(const std::filesystem::path& file) : network_(datasets::read_onnx(file)) {
  const std::string name = program::one_line(file.filename().string());
  if (network_.count("HardSigmoid") != blocks)
    throw program::UserError(fmt::format("{}: {} squeeze-and-excitation blocks, expected {}; it is another network", name, network_.count("HardSigmoid"), blocks));
}

Tensor<4> DirectionClassifier::prepare(std::span<const Tensor<2>> pictures) {
  Tensor<4> input = tensor::empty<4>({pictures.size(), 3, static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
  input.fill(0);
  for (std::size_t n = 0; n < pictures.size(); ++n) {
    const Index rows = tensor::extent(pictures[n], 0);
    const Index columns = tensor::extent(pictures[n], 1);
    if (rows == 0 || columns == 0) throw program::UserError("a picture without pixels has no direction");
    const double wide = std::ceil(static_cast<double>(height) * static_cast<double>(columns) / static_cast<double>(rows));
    const auto across = static_cast<Index>(std::min(wide, static_cast<double>(width)));
    const Tensor<2> small = scaled(pictures[n], height, across);
    for (Index channel = 0; channel < 3; ++channel)
      for (Index y = 0; y < height; ++y) {
        float* to = input.data() + ((static_cast<Index>(n) * 3 + channel) * height + y) * width;
        std::transform(small.data() + y * across, small.data() + (y + 1) * across, to, [](float grey) { return 2 * grey - 1; });
      }
  }
  return input;
}

std::vector<Direction> DirectionClassifier::classify(std::span<const Tensor<2>> pictures) const { return run(prepare(pictures)); }

std::vector<Direction> DirectionClassifier::run(const Tensor<4>& input, const GateChange& change) const {
  const Index count = tensor::extent(input, 0);
  std::vector<Direction> directions(static_cast<std::size_t>(count));
  // The threads share the pictures, not each small layer: they meet once, not after every node.
  program::in_parallel(static_cast<std::size_t>((count + together - 1) / together), [&](std::size_t group) {
    const Index first = static_cast<Index>(group) * together;
    const auto some = std::span(directions).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(std::min(together, count - first)));
    run_some(input.data() + first * 3 * height * width, some, change);
  });
  return directions;
}

void DirectionClassifier::run_some(const float* input, std::span<Direction> directions, const GateChange& change) const {
  const Index count = std::ssize(directions);
  Index block = 0;
  const Value answer = network_.run({{count, 3, height, width}, false, {input, input + count * 3 * height * width}, {}}, [&](const datasets::OnnxNode& node, Value& given) {
    if (node.op != "HardSigmoid") return;
    const Index channels = std::ssize(given.floats) / count;
    if (change) change(block, given.floats, channels);
    ++block;
    auto gates = given.floats.begin();
    for (Direction& direction : directions) {
      direction.gates.emplace_back(gates, gates + channels);
      gates += channels;
    }
  });
  if (answer.whole || answer.shape != std::vector<Index>{count, 2})
    throw program::UserError(fmt::format("the network answers with shape ({}), expected two numbers a picture", fmt::join(answer.shape, ", ")));
  auto number = answer.floats.begin();
  for (Direction& direction : directions) {
    direction.upright = *number++;
    direction.turned = *number++;
  }
}

}  // namespace attention::convolutional
