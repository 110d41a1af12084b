#pragma once

#include "layers/convolution_layer.hpp"

namespace attention::convolutional {

/// The ways that convolve() takes; arguments as there. Depth must be at least 1.
void convolve_by_patches(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output);
/// For one input channel a group and finite weights: the border is passed over, not multiplied.
void convolve_by_taps(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output);

}  // namespace attention::convolutional
