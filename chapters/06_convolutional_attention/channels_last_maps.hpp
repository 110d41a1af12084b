#pragma once

#include "feature_maps.hpp"

/// The other layout of feature maps: all channels of a place beside each other (NHWC).
namespace attention::convolutional {

/// Maps [batch, channels, height, width] as [batch, height, width, channels].
Tensor<4> channels_last(const Tensor<4>& maps);

/// Maps [batch, height, width, channels] as [batch, channels, height, width].
Tensor<4> channels_first(const Tensor<4>& maps);

}  // namespace attention::convolutional
