#pragma once

#include "cbam_backward.hpp"
#include "rungs/add_images.hpp"

namespace attention::convolutional {

/// The way back through the channels' gates: the small gradients of all images, which the weights' gradients are made
/// of at the end.
class CbamBackwardGates {
 public:
  explicit CbamBackwardGates(const CbamBackwardProblem& p)
      : p_(p), argument_(size(p.channels())), of_mean_(size(p.hidden())), of_largest_(size(p.hidden())) {}

  static std::size_t bytes(const CbamBackwardProblem& p) {
    return static_cast<std::size_t>(p.batch() * (p.channels() + 2 * p.hidden())) * sizeof(float);
  }

  /// Image b, from the gradients of its channels' gates: what each place of a channel gets for its mean, and its
  /// largest place besides.
  void operator()(Index b, const float* gate_gradient, float* of_places, float* of_largest) {
    const Index channels = p_.channels();
    const Index hidden = p_.hidden();
    const float* gate = p_.kept.channel_gate.data() + b * channels;
    const float* unit_mean = p_.kept.hidden_mean.data() + b * hidden;
    const float* unit_largest = p_.kept.hidden_largest.data() + b * hidden;
    float* dt = argument_.data() + b * channels;
    float* dh_mean = of_mean_.data() + b * hidden;
    float* dh_largest = of_largest_.data() + b * hidden;
    for (Index c = 0; c < channels; ++c) dt[c] = gate_gradient[c] * (gate[c] * (1 - gate[c]));
    times_transposed(p_.expand_weight.data(), dt, channels, hidden, dh_mean);
    for (Index j = 0; j < hidden; ++j) {
      const float open = dh_mean[j];
      dh_mean[j] = unit_mean[j] <= 0 ? 0 : open;
      dh_largest[j] = unit_largest[j] <= 0 ? 0 : open;
    }
    times_transposed(p_.reduce_weight.data(), dh_mean, hidden, channels, of_places);
    times_transposed(p_.reduce_weight.data(), dh_largest, hidden, channels, of_largest);
    for (Index c = 0; c < channels; ++c) of_places[c] /= static_cast<float>(p_.places());
  }

  /// The two matrices' gradients once all images are there.
  void finish(bool parallel, CbamBackwardOutput& out) const {
    out.expand_weight.fill(0);
    out.reduce_weight.fill(0);
    const Index batch = p_.batch(), channels = p_.channels(), hidden = p_.hidden();
#pragma omp parallel if (parallel)
    {
      add_images(batch, argument_.data(), channels, p_.kept.hidden_mean.data(), hidden, out.expand_weight.data());
      add_images(batch, argument_.data(), channels, p_.kept.hidden_largest.data(), hidden, out.expand_weight.data());
      add_images(batch, of_mean_.data(), hidden, p_.kept.mean.data(), channels, out.reduce_weight.data());
      add_images(batch, of_largest_.data(), hidden, p_.kept.largest.data(), channels, out.reduce_weight.data());
    }
  }

 private:
  std::size_t size(Index of_image) const { return static_cast<std::size_t>(p_.batch() * of_image); }

  const CbamBackwardProblem& p_;
  tensor::UnsetBuffer argument_;    ///< dt: [batch, channels]
  tensor::UnsetBuffer of_mean_;     ///< dh_a: [batch, hidden]
  tensor::UnsetBuffer of_largest_;  ///< dh_m: [batch, hidden]
};

}  // namespace attention::convolutional
