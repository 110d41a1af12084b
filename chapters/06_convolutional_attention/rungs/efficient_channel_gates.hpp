#pragma once

#include <algorithm>

#include "efficient_channel.hpp"

namespace attention::convolutional {

/// ω_i = σ(Σ_j w_j g_{i+j−r}) for one image. C·k multiply-adds are nothing beside C·H·W places: plain loops serve every rung.
inline void efficient_channel_gates(const EfficientChannelProblem& p, const float* mean, float* gate) {
  const Index channels = p.channels();
  const Index radius = p.kernel() / 2;
  const float* weight = p.weight.data();
  for (Index c = 0; c < channels; ++c) {
    float sum = 0;
    // The taps whose neighbour exists.
    const Index last = std::min(p.kernel(), channels - c + radius);
    for (Index j = std::max<Index>(radius - c, 0); j < last; ++j) sum += weight[j] * mean[c + j - radius];
    gate[c] = sigmoid(sum);
  }
}

}  // namespace attention::convolutional
