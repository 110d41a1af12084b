#include "network_cost.hpp"

#include <algorithm>

#include "efficient_channel.hpp"

namespace attention::convolutional {

namespace {

/// Multiply-adds of a module over so many places.
Index module_products(const NetworkSizes& s, Index channels, Index side) {
  const Index places = side * side, few = std::max<Index>(4, channels / s.reduction);
  const Index small_network = 2 * channels * few;
  switch (s.module) {
    case ModuleKind::none: return 0;
    case ModuleKind::squeeze_excitation: return small_network;
    case ModuleKind::efficient_channel: return channels * efficient_channel_kernel(channels);
    case ModuleKind::cbam: return 2 * small_network + places * 7 * 7 * 2;
    case ModuleKind::bam: return small_network + places * (channels * few + 2 * 9 * few * few + few);
    case ModuleKind::coordinate: return 2 * side * 2 * channels * std::max<Index>(8, few);
    case ModuleKind::non_local: return 4 * places * channels * (channels / 2) + 2 * places * places * (channels / 2);
  }
  return 0;
}

}  // namespace

double picture_operations(const NetworkSizes& s, Index side) {
  Index channels = s.widths.front();
  Index products = side * side * 9 * channels;
  for (const Index width : s.widths) {
    side /= 2;
    products += side * side * 9 * (channels * width + width * width);
    if (width != channels) products += side * side * channels * width;
    products += module_products(s, width, side);
    channels = width;
  }
  if (s.pooling == Pooling::attention) products += 2 * side * side * channels;
  return 2 * static_cast<double>(products + channels * s.classes);
}

}  // namespace attention::convolutional
