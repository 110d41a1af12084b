#pragma once

#include "residual_network.hpp"

namespace attention::convolutional {

/// Floating-point operations of one picture of `side` × `side` pixels: two for each multiply-add of the convolutions and matrix products,
/// those with a border's zeros among them. What is done once a number (norms, gates, exponentials) is not counted.
double picture_operations(const NetworkSizes& sizes, Index side);

}  // namespace attention::convolutional
