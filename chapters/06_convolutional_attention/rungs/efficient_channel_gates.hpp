#pragma once

#include "efficient_channel.hpp"

namespace attention::convolutional {

/// ω_i = σ(Σ_j w_j g_{i+j−r}) for one image. C·k multiply-adds are nothing beside C·H·W places: plain loops serve every rung.
inline void efficient_channel_gates(const EfficientChannelProblem& p, const float* mean, float* gate) {
  const Index channels = p.channels();
  const Index radius = p.kernel() / 2;
  const float* weight = p.weight.data();
  for (Index c = 0; c < channels; ++c) {
    float sum = 0;
    // The zeros beyond the channels are multiplied like any mean: a weight that is NaN shows there, too.
    for (Index j = 0; j < p.kernel(); ++j) {
      const Index from = c + j - radius;
      sum += weight[j] * (from >= 0 && from < channels ? mean[from] : 0);
    }
    gate[c] = sigmoid(sum);
  }
}

}  // namespace attention::convolutional
