#pragma once

#include "efficient_channel.hpp"

namespace attention::convolutional {

/// What forward kept of efficient channel attention, and the way back takes as given.
template <class Real>
struct EfficientChannelKept {
  TensorOf<Real, 2> mean;  ///< g: [batch, channels]
  TensorOf<Real, 2> gate;  ///< ω: [batch, channels]
};

/// The backward pass of efficient channel attention: the chain rule through Wang et al. 2020, equation 7. Given G =
/// ∂L/∂x, for each image, with r = (k − 1)/2 and zeros beyond the channels, which are multiplied like any number:
///
///     dω_i = Σ over the places of G_i u_i
///     da   = dω ∘ ω ∘ (1 − ω)                        of the gates' arguments
///     dg_i = Σ_j w_j da_{i−j+r}
///     du_i = ω_i G_i + dg_i / (H·W)
///     dw_j = Σ_i da_i g_{i+j−r}                      summed over the images
struct EfficientChannelBackwardProblem : EfficientChannelProblem {
  Tensor<4> output_gradient;  ///< G: [batch, channels, height, width]
  EfficientChannelKept<float> kept;

  const float* gradient_of(Index b, Index c) const { return output_gradient.data() + (b * channels() + c) * places(); }
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct EfficientChannelBackwardOutputOf {
  TensorOf<Real, 4> input;   ///< du
  TensorOf<Real, 1> weight;  ///< dw
};
using EfficientChannelBackwardOutput = EfficientChannelBackwardOutputOf<float>;

/// The formula in float64, and how large its sums became on their way.
struct EfficientChannelBackwardReference : EfficientChannelBackwardOutputOf<double> {
  double gate_sums = 0;      ///< largest |partial sum| of dω
  double largest_slope = 0;  ///< largest ω (1 − ω)
  double arguments = 0;      ///< largest |da|
  double mean_sums = 0;      ///< largest |partial sum| of dg
  double weight_sums = 0;    ///< … of dw
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const EfficientChannelBackwardProblem& problem, EfficientChannelBackwardOutput& output);

/// The oracle: the formula in float64, plain loops, with what forward kept, or with other numbers in its place.
EfficientChannelBackwardReference backward_reference(const EfficientChannelBackwardProblem& problem);
EfficientChannelBackwardReference backward_reference(const EfficientChannelBackwardProblem& problem,
                                                     const EfficientChannelKept<double>& kept);

/// What forward keeps, in float64.
EfficientChannelKept<double> keep(const EfficientChannelProblem& problem);
/// Fills in what forward keeps, the rest being there.
void run_forward(EfficientChannelBackwardProblem& problem);

/// make_efficient_channel, of each hardness, and normal output gradients; forward is run.
EfficientChannelBackwardProblem make_efficient_channel_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                                ladder::Hardness hardness);

/// Two multiply-adds a place, 2k a channel; gated_backward_bytes.
ladder::Cost cost(const EfficientChannelBackwardProblem& problem);

/// The mechanism with its ladder.
using EfficientChannelBackward = ladder::Mechanism<EfficientChannelBackwardProblem, EfficientChannelBackwardOutput,
                                                   EfficientChannelBackwardReference>;
const EfficientChannelBackward& efficient_channel_backward();
ladder::MechanismPtr efficient_channel_backward_mechanism();

}  // namespace attention::convolutional
