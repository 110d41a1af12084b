#pragma once

#include "efficient_channel_backward.hpp"

namespace attention::convolutional {

/// The way back through the gates of efficient channel attention. C·k multiply-adds are nothing beside C·H·W places:
/// plain loops serve every rung.
class EfficientChannelBackwardGates {
 public:
  explicit EfficientChannelBackwardGates(const EfficientChannelBackwardProblem& p)
      : p_(p),
        argument_(static_cast<std::size_t>(p.batch() * p.channels())),
        weight_(static_cast<std::size_t>(p.batch() * p.kernel())) {}

  /// Image b: da, its part of dw, and shift = dg / (H·W).
  void operator()(Index b, const float* gate_gradient, float* shift) {
    const Index channels = p_.channels();
    const Index radius = p_.kernel() / 2;
    const float* gate = p_.kept.gate.data() + b * channels;
    const float* mean = p_.kept.mean.data() + b * channels;
    float* da = argument_.data() + b * channels;
    const auto inside = [channels](const float* numbers, Index c) { return c >= 0 && c < channels ? numbers[c] : 0; };
    for (Index c = 0; c < channels; ++c) da[c] = gate_gradient[c] * (gate[c] * (1 - gate[c]));
    for (Index c = 0; c < channels; ++c) {
      float sum = 0;
      for (Index j = 0; j < p_.kernel(); ++j) sum += p_.weight.data()[j] * inside(da, c - j + radius);
      shift[c] = sum / static_cast<float>(p_.places());
    }
    for (Index j = 0; j < p_.kernel(); ++j) {
      float sum = 0;
      for (Index c = 0; c < channels; ++c) sum += da[c] * inside(mean, c + j - radius);
      weight_.data()[b * p_.kernel() + j] = sum;
    }
  }

  /// dw once all images are there: a partial sum an image, added in their order, whatever the number of threads.
  void finish(EfficientChannelBackwardOutput& out) const {
    for (Index j = 0; j < p_.kernel(); ++j) {
      float sum = 0;
      for (Index b = 0; b < p_.batch(); ++b) sum += weight_.data()[b * p_.kernel() + j];
      out.weight.data()[j] = sum;
    }
  }

 private:
  const EfficientChannelBackwardProblem& p_;
  tensor::UnsetBuffer argument_;  ///< da: [batch, channels]
  tensor::UnsetBuffer weight_;    ///< [batch, kernel]
};

}  // namespace attention::convolutional
