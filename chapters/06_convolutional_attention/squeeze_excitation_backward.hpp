#pragma once

#include "squeeze_excitation.hpp"

namespace attention::convolutional {

/// What forward kept of squeeze-and-excitation, and the way back takes as given.
template <class Real>
struct SqueezeExcitationKept {
  TensorOf<Real, 2> mean;    ///< z: [batch, channels]
  TensorOf<Real, 2> hidden;  ///< h = max(0, W₁ z + b₁): [batch, hidden]
  TensorOf<Real, 2> gate;    ///< s: [batch, channels]
};

/// The backward pass of squeeze-and-excitation: the chain rule through Hu, Shen, Sun 2018, equations 2 to 4. Given G =
/// ∂L/∂x, for each image, with a = W₂ h + b₂ the gates' arguments and ∘ element by element:
///
///     ds_c = Σ_i Σ_j G_c(i, j) u_c(i, j)
///     da   = ds ∘ s ∘ (1 − s)
///     dh   = W₂ᵀ da, and 0 where h is 0
///     dz   = W₁ᵀ dh
///     du_c = s_c G_c + dz_c / (H·W)
///     dW₂  = Σ da hᵀ,  db₂ = Σ da,  dW₁ = Σ dh zᵀ,  db₁ = Σ dh         summed over the images
struct SqueezeExcitationBackwardProblem : SqueezeExcitationProblem {
  Tensor<4> output_gradient;  ///< G: [batch, channels, height, width]
  SqueezeExcitationKept<float> kept;

  const float* gradient_of(Index b, Index c) const { return output_gradient.data() + (b * channels() + c) * places(); }
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct SqueezeExcitationBackwardOutputOf {
  TensorOf<Real, 4> input;          ///< du
  TensorOf<Real, 2> reduce_weight;  ///< dW₁
  TensorOf<Real, 1> reduce_bias;    ///< db₁
  TensorOf<Real, 2> expand_weight;  ///< dW₂
  TensorOf<Real, 1> expand_bias;    ///< db₂
};
using SqueezeExcitationBackwardOutput = SqueezeExcitationBackwardOutputOf<float>;

/// The formula in float64, and how large its sums became on their way.
struct SqueezeExcitationBackwardReference : SqueezeExcitationBackwardOutputOf<double> {
  double gate_sums = 0;           ///< largest |partial sum| of ds
  double largest_slope = 0;       ///< largest s (1 − s)
  double arguments = 0;           ///< largest |da|
  double hidden_sums = 0;         ///< largest |partial sum| of dh
  double mean_sums = 0;           ///< … of dz
  double expand_weight_sums = 0;  ///< … of dW₂
  double expand_bias_sums = 0;    ///< … of db₂
  double reduce_weight_sums = 0;  ///< … of dW₁
  double reduce_bias_sums = 0;    ///< … of db₁
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const SqueezeExcitationBackwardProblem& problem, SqueezeExcitationBackwardOutput& output);

/// The oracle: the formula in float64, plain loops, with what forward kept, or with other numbers in its place.
SqueezeExcitationBackwardReference backward_reference(const SqueezeExcitationBackwardProblem& problem);
SqueezeExcitationBackwardReference backward_reference(const SqueezeExcitationBackwardProblem& problem,
                                                      const SqueezeExcitationKept<double>& kept);

/// What forward keeps, in float64.
SqueezeExcitationKept<double> keep(const SqueezeExcitationProblem& problem);
/// Fills in what forward keeps, the rest being there.
void run_forward(SqueezeExcitationBackwardProblem& problem);

/// make_squeeze_excitation, of each hardness, and normal output gradients; forward is run.
SqueezeExcitationBackwardProblem make_squeeze_excitation_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                                  ladder::Hardness hardness);

/// Two multiply-adds a place, four small products an image; gated_backward_bytes.
ladder::Cost cost(const SqueezeExcitationBackwardProblem& problem);

/// The mechanism with its ladder.
using SqueezeExcitationBackward = ladder::Mechanism<SqueezeExcitationBackwardProblem, SqueezeExcitationBackwardOutput,
                                                    SqueezeExcitationBackwardReference>;
const SqueezeExcitationBackward& squeeze_excitation_backward();
ladder::MechanismPtr squeeze_excitation_backward_mechanism();

}  // namespace attention::convolutional
