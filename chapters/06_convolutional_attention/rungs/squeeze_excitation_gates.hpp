#pragma once

#include <vector>

#include "rungs/map.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

/// s = σ(W₂ · max(0, W₁ z)) for one image, in plain loops.
inline void squeeze_excitation_gates(const SqueezeExcitationProblem& p, const float* mean, float* gate) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  std::vector<float> unit(static_cast<std::size_t>(hidden));
  for (Index j = 0; j < hidden; ++j) {
    float sum = p.reduce_bias.data()[j];
    for (Index c = 0; c < channels; ++c) sum += p.reduce_weight.data()[j * channels + c] * mean[c];
    unit[static_cast<std::size_t>(j)] = relu(sum);
  }
  for (Index c = 0; c < channels; ++c) {
    float sum = p.expand_bias.data()[c];
    for (Index j = 0; j < hidden; ++j) sum += p.expand_weight.data()[c * hidden + j] * unit[static_cast<std::size_t>(j)];
    gate[c] = sigmoid(sum);
  }
}

/// The same with vectors: with 512 channels the two small products would otherwise take longer than reading the maps.
inline void squeeze_excitation_gates_simd(const SqueezeExcitationProblem& p, const float* mean, float* gate) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  tensor::Buffer unit(static_cast<std::size_t>(hidden));
  for (Index j = 0; j < hidden; ++j)
    unit[static_cast<std::size_t>(j)] = relu(dot(p.reduce_weight.data() + j * channels, mean, channels) + p.reduce_bias.data()[j]);
  for (Index c = 0; c < channels; ++c)
    gate[c] = sigmoid(dot(p.expand_weight.data() + c * hidden, unit.data(), hidden) + p.expand_bias.data()[c]);
}

}  // namespace attention::convolutional
