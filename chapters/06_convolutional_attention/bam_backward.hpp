#pragma once

#include <array>

#include "bam.hpp"

namespace attention::convolutional {

/// The backward pass of the bottleneck attention module: the chain rule through equations 1 to 4 of Park et al. 2018.
/// Given dF′ = ∂L/∂F′, with P places, t₀, t₁ and t₂ the outputs of f₀, f₁ and f₂ after their ReLU, and h = max(0, W₀ a
/// + b₀):
///
///     dA   = dF′ ∘ F ∘ M (1 − M)                     gradient of the sigmoid's argument, for each element
///     dM_c = Σ of dA over the places,  dM_s = Σ of dA over the channels
///     dW₁  = dM_c hᵀ,  dh = W₁ᵀ dM_c where h > 0,  dW₀ = dh aᵀ,  da = W₀ᵀ dh
///     d₂   = f₃ᵀ dM_s where t₂ > 0,  d₁ = f₂ᵀ d₂ where t₁ > 0,  d₀ = f₁ᵀ d₁ where t₀ > 0
///     df₃  = dM_s ⋆ t₂,  df₂ = d₂ ⋆ t₁,  df₁ = d₁ ⋆ t₀,  df₀ = d₀ ⋆ F
///     dF   = dF′ (1 + M) + da / P + f₀ᵀ d₀
///
/// fᵀ is the convolution with the taps turned round and inputs and outputs exchanged; d ⋆ t is for each tap the sum
/// over the places of what the gradient finds where the tap looked. The biases' gradients are the sums of what comes
/// in. Those of all weights are summed over the images.
struct BamBackwardProblem {
  BamProblem forward;
  Tensor<4> output_gradient;  ///< dF′: [batch, channels, height, width]
  // Kept by forward.
  Tensor<2> mean;                       ///< a: [batch, channels]
  Tensor<2> channel_branch;             ///< M_c: [batch, channels]
  Tensor<3> spatial_branch;             ///< M_s: [batch, height, width]
  std::array<Tensor<4>, 3> inner = {};  ///< t₀ to t₂: [batch, hidden, height, width]

  const float* output_gradient_of(Index b) const { return output_gradient.data() + b * forward.image_size(); }
  const float* inner_of(std::size_t layer, Index b) const {
    return inner[layer].data() + b * forward.hidden() * forward.places();
  }
};

template <class Real>
struct BamLayerGradientOf {
  TensorOf<Real, 4> weight;
  TensorOf<Real, 1> bias;
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct BamBackwardOutputOf {
  TensorOf<Real, 4> input;
  TensorOf<Real, 2> reduce_weight;
  TensorOf<Real, 1> reduce_bias;
  TensorOf<Real, 2> expand_weight;
  TensorOf<Real, 1> expand_bias;
  std::array<BamLayerGradientOf<Real>, 4> spatial;
};
using BamBackwardOutput = BamBackwardOutputOf<float>;

/// Calls body(name, tensor) for all inputs but the maps, or for all gradients of them.
template <class Weights, class Body>
void for_each_bam_weight(Weights&& weights, Body body) {
  static constexpr const char* names[][2] = {{"mix_weight", "mix_bias"},
                                             {"first_weight", "first_bias"},
                                             {"second_weight", "second_bias"},
                                             {"last_weight", "last_bias"}};
  body("reduce_weight", weights.reduce_weight);
  body("reduce_bias", weights.reduce_bias);
  body("expand_weight", weights.expand_weight);
  body("expand_bias", weights.expand_bias);
  for (std::size_t layer = 0; layer < 4; ++layer) {
    body(names[layer][0], weights.spatial[layer].weight);
    body(names[layer][1], weights.spatial[layer].bias);
  }
}

/// The formula in float64, and how far float32 may be from the gradient of the maps, then of each weight
/// (running_error.hpp).
struct BamBackwardReference : BamBackwardOutputOf<double> {
  std::array<double, 13> errors = {};
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const BamBackwardProblem& problem, BamBackwardOutput& output);

/// The oracle: the formula in float64, in parallel over the images. It takes nothing from forward.
BamBackwardReference reference(const BamBackwardProblem& problem);

/// make_bam of each hardness, and normal output gradients; forward is run.
BamBackwardProblem make_bam_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Fills in what forward keeps.
void run_forward(BamBackwardProblem& problem);

/// A place of a map: 13 operations and 2 · hidden multiply-adds for f₀; the other layers twice; F and dF′ are read once
/// and dF is written once; what of an image's two does not stay in the last-level cache must be read again.
/// Exponentials as forward.
ladder::Cost cost(const BamBackwardProblem& problem);

/// The mechanism with its ladder.
using BamBackward = ladder::Mechanism<BamBackwardProblem, BamBackwardOutput, BamBackwardReference>;
const BamBackward& bam_backward();
ladder::MechanismPtr bam_backward_mechanism();

}  // namespace attention::convolutional
