#include "published_sizes.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace attention::convolutional {

namespace {

/// Blocks of each stage, and whether they are bottlenecks: 1 × 1, 3 × 3, and 1 × 1 to four times the width.
struct Plan {
  std::array<Index, 4> blocks;
  bool bottleneck;
};

Plan plan_of(int depth) {
  switch (depth) {
    case 18: return {{2, 2, 2, 2}, false};
    case 34: return {{3, 4, 6, 3}, false};
    case 50: return {{3, 4, 6, 3}, true};
    case 101: return {{3, 4, 23, 3}, true};
    default: throw std::invalid_argument(fmt::format("ResNet-{}: 18, 34, 50 and 101 are known", depth));
  }
}

/// A convolution without a bias and the batch normalisation behind it.
Index convolution(Index side, Index in, Index out) { return side * side * in * out + 2 * out; }

Index module(ModuleKind kind, Index channels) {
  numerics::Random random(1);
  AttentionModule<float> made(kind, channels, 16, random);
  ParameterList<float> list;
  made.collect("", list);
  return autograd::count(list);
}

}  // namespace

Index resnet_parameters(int depth, ModuleKind kind) {
  const Plan plan = plan_of(depth);
  Index channels = 64;
  Index all = convolution(7, 3, channels);
  for (std::size_t stage = 0; stage < plan.blocks.size(); ++stage) {
    const Index width = Index{64} << stage;
    const Index out = plan.bottleneck ? 4 * width : width;
    for (Index block = 0; block < plan.blocks[stage]; ++block) {
      if (plan.bottleneck)
        all += convolution(1, channels, width) + convolution(3, width, width) + convolution(1, width, out);
      else
        all += convolution(3, channels, out) + convolution(3, out, out);
      if (channels != out) all += convolution(1, channels, out);
      all += module(kind, out);
      channels = out;
    }
  }
  constexpr Index classes = 1000;
  return all + channels * classes + classes;
}

}  // namespace attention::convolutional
