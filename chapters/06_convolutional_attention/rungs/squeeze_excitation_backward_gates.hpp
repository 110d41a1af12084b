#pragma once

#include "rungs/add_images.hpp"
#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

/// The way back through the gates of squeeze-and-excitation: the small gradients of all images, which the weights'
/// gradients are made of at the end.
class SqueezeExcitationBackwardGates {
 public:
  explicit SqueezeExcitationBackwardGates(const SqueezeExcitationBackwardProblem& p)
      : p_(p),
        argument_(static_cast<std::size_t>(p.batch() * p.channels())),
        hidden_(static_cast<std::size_t>(p.batch() * p.hidden())) {}

  /// Image b: da, dh and shift = dz / (H·W). Both matrices are read by rows: Wᵀ x is a sum of rows.
  void operator()(Index b, const float* gate_gradient, float* shift) {
    const Index channels = p_.channels();
    const Index hidden = p_.hidden();
    const float* gate = p_.kept.gate.data() + b * channels;
    const float* unit = p_.kept.hidden.data() + b * hidden;
    float* da = argument_.data() + b * channels;
    float* dh = hidden_.data() + b * hidden;
    for (Index c = 0; c < channels; ++c) da[c] = gate_gradient[c] * (gate[c] * (1 - gate[c]));
    times_transposed(p_.expand_weight.data(), da, channels, hidden, dh);
    for (Index j = 0; j < hidden; ++j) dh[j] = unit[j] <= 0 ? 0 : dh[j];
    times_transposed(p_.reduce_weight.data(), dh, hidden, channels, shift);
    for (Index c = 0; c < channels; ++c) shift[c] /= static_cast<float>(p_.places());
  }

  /// The weights' gradients once all images are there.
  void finish(bool parallel, SqueezeExcitationBackwardOutput& out) const {
    for (auto* weights : {&out.expand_weight, &out.reduce_weight}) weights->fill(0);
    for (auto* biases : {&out.expand_bias, &out.reduce_bias}) biases->fill(0);
    // A bias sees the same number, 1, in every image.
    const tensor::Buffer ones(static_cast<std::size_t>(p_.batch()), 1.F);
#pragma omp parallel if (parallel)
    {
      add_images(p_.batch(), argument_.data(), p_.channels(), p_.kept.hidden.data(), p_.hidden(),
                 out.expand_weight.data());
      add_images(p_.batch(), argument_.data(), p_.channels(), ones.data(), 1, out.expand_bias.data());
      add_images(p_.batch(), hidden_.data(), p_.hidden(), p_.kept.mean.data(), p_.channels(), out.reduce_weight.data());
      add_images(p_.batch(), hidden_.data(), p_.hidden(), ones.data(), 1, out.reduce_bias.data());
    }
  }

 private:
  const SqueezeExcitationBackwardProblem& p_;
  tensor::UnsetBuffer argument_;  ///< da: [batch, channels]
  tensor::UnsetBuffer hidden_;    ///< dh: [batch, hidden]
};

}  // namespace attention::convolutional
