#pragma once

#include <array>

#include "attention_pooling.hpp"

namespace attention::convolutional {

/// The backward pass of attention pooling: the chain rule through its three equations. Given dy = ∂L/∂y, for each
/// image:
///
///     g_p   = dy · x_p                       gradient of the weight a_p
///     D     = Σ_p a_p g_p = dy · y           as chapter 2's D: forward's answer makes it a number that is known
///     de_p  = a_p (g_p − D)                  gradient of the score
///     dx_p  = a_p dy + de_p w                a place's share of the mean, and of its weight
///     dw    = Σ_p de_p x_p                   summed over the images
struct AttentionPoolingBackwardProblem {
  AttentionPoolingProblem forward;
  Tensor<2> output_gradient;    ///< dy: [batch, channels]
  AttentionPoolingOutput kept;  ///< y and a, of forward

  const float* output_gradient_of(Index b) const { return output_gradient.data() + b * forward.channels(); }
  const float* output_of(Index b) const { return kept.output.data() + b * forward.channels(); }
  const float* weights_of(Index b) const { return kept.weights.data() + b * forward.places(); }
};

/// What is asked for.
template <class Real>
struct AttentionPoolingBackwardOutputOf {
  TensorOf<Real, 4> input;   ///< dx: [batch, channels, height, width]
  TensorOf<Real, 1> weight;  ///< dw: [channels]

  Real* map_of(Index b, Index c) {
    return input.data() + (b * tensor::extent(input, 1) + c) * tensor::extent(input, 2) * tensor::extent(input, 3);
  }
};
using AttentionPoolingBackwardOutput = AttentionPoolingBackwardOutputOf<float>;

/// The formula in float64, and how far float32 may be from both (running_error.hpp).
struct AttentionPoolingBackwardReference : AttentionPoolingBackwardOutputOf<double> {
  std::array<double, 2> errors = {};
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const AttentionPoolingBackwardProblem& problem, AttentionPoolingBackwardOutput& output);

/// The oracle: the formula in float64, in parallel over the images. It takes nothing from forward.
AttentionPoolingBackwardReference reference(const AttentionPoolingBackwardProblem& problem);

/// make_attention_pooling of each hardness, and normal output gradients; forward is run.
AttentionPoolingBackwardProblem make_attention_pooling_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                                ladder::Hardness hardness);

/// Fills in `kept`.
void run_forward(AttentionPoolingBackwardProblem& problem);

/// Seven operations a place of a map. The maps are read once, and gradients as large are written once.
ladder::Cost cost(const AttentionPoolingBackwardProblem& problem);

/// The mechanism with its ladder.
using AttentionPoolingBackward = ladder::Mechanism<AttentionPoolingBackwardProblem, AttentionPoolingBackwardOutput,
                                                   AttentionPoolingBackwardReference>;
const AttentionPoolingBackward& attention_pooling_backward();
ladder::MechanismPtr attention_pooling_backward_mechanism();

}  // namespace attention::convolutional
