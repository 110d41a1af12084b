#pragma once

#include <vector>

#include "layers/window.hpp"

namespace attention::convolutional {

/// Batch normalisation (Ioffe and Szegedy 2015; operator BatchNormalization of ONNX, opset 15) over maps [batch, channels, places]:
///
///     output = (input − mean) / √(variance + ε) · scale + bias,    one mean, variance, scale and bias for each channel
struct BatchNormalization {
  Index batch = 0;
  Index channels = 0;
  Index places = 0;
  double epsilon = 1e-5;
};

/// The parameters of each channel.
struct ChannelParameters {
  const float* scale;
  const float* bias;
  const float* mean;
  const float* variance;
};

/// As the network is used: with the mean and variance that training has left. In and out may be the same.
void batch_normalize(const BatchNormalization& layer, const ChannelParameters& parameters, const float* input, float* output);

/// As it is trained: with the mean and the variance (the sum of squares divided by their number) of this batch, summed in
/// float64. Into running_mean and running_variance [channels] go momentum · the given + (1 − momentum) · the batch's.
void batch_normalize_training(const BatchNormalization& layer, const ChannelParameters& parameters, double momentum, const float* input,
                              float* output, float* running_mean, float* running_variance);

}  // namespace attention::convolutional
