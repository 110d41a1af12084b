#pragma once

#include "cbam.hpp"

namespace attention::convolutional {

/// The backward pass of CBAM: the chain rule through Woo et al. 2018, equations 1 to 3. Given G = ∂L/∂F″, for each
/// image, with t and T the arguments of the channels' and the places' gates, P the two pools of F′ over its C channels
/// and ∗ with the kernel f:
///
///     dT   = Σ_c M_c G_c F_c ∘ M_s ∘ (1 − M_s)                                    for each place
///     dP_w(p) = Σ f_w(d) dT(p − d),   df_w(d) = Σ_p dT(p) P_w(p + d)              d from the kernel's middle
///     dF′_c(p) = M_s(p) G_c(p) + dP_mean(p)/C + [c has the maximum at p] dP_max(p)
///     dt_c = Σ_p dF′_c F_c · M_c (1 − M_c)
///     dh   = W₁ᵀ dt; 0 where forward's W₀ a was at most 0: dh_a, and where its W₀ m was: dh_m
///     dF_c(p) = M_c dF′_c(p) + (W₀ᵀ dh_a)_c / (H·W) + [p has the maximum of c] (W₀ᵀ dh_m)_c
///     dW₁  = Σ dt (max(0, W₀ a) + max(0, W₀ m))ᵀ,  dW₀ = Σ dh_a aᵀ + dh_m mᵀ       summed over the images, as df is
///
/// A maximum has no derivative where two numbers share it. As on the tape the first of them gets all of the gradient,
/// by forward's order: of places row by row, of channels from the first on. It is one of the subgradients.
struct CbamBackwardProblem : CbamProblem {
  Tensor<4> output_gradient;  ///< G: [batch, channels, height, width]
  CbamKept<float> kept;

  const float* gradient_of(Index b, Index c) const { return output_gradient.data() + (b * channels() + c) * places(); }
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct CbamBackwardOutputOf {
  TensorOf<Real, 4> input;           ///< dF
  TensorOf<Real, 2> reduce_weight;   ///< dW₀
  TensorOf<Real, 2> expand_weight;   ///< dW₁
  TensorOf<Real, 3> spatial_weight;  ///< df
};
using CbamBackwardOutput = CbamBackwardOutputOf<float>;

/// The formula in float64, and how large its sums became on their way.
struct CbamBackwardReference : CbamBackwardOutputOf<double> {
  double place_sums = 0;           ///< largest |partial sum| of Σ_c M_c G_c F_c
  double spatial_slope = 0;        ///< largest M_s (1 − M_s)
  double spatial_arguments = 0;    ///< largest |dT|
  double pool_sums = 0;            ///< largest |partial sum| of dP
  double gated = 0;                ///< largest |dF′|, and of its parts
  double map_norm = 0;             ///< largest root of Σ_p F_c(p)²
  double channel_sums = 0;         ///< largest |partial sum| of Σ_p dF′_c F_c, also of its parts one by one
  double channel_slope = 0;        ///< largest M_c (1 − M_c)
  double channel_arguments = 0;    ///< largest |dt|
  double hidden_sums = 0;          ///< largest |partial sum| of dh
  double shift_sums = 0;           ///< … of W₀ᵀ dh
  double reduce_weight_sums = 0;   ///< … of dW₀
  double expand_weight_sums = 0;   ///< … of dW₁
  double spatial_weight_sums = 0;  ///< … of df
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const CbamBackwardProblem& problem, CbamBackwardOutput& output);

/// The oracle: the formula in float64, plain loops, with what forward kept, or with other numbers in its place.
CbamBackwardReference backward_reference(const CbamBackwardProblem& problem);
CbamBackwardReference backward_reference(const CbamBackwardProblem& problem, const CbamKept<double>& kept);

/// What forward keeps, in float64.
CbamKept<double> keep(const CbamProblem& problem);
/// Fills in what forward keeps, the rest being there.
void run_forward(CbamBackwardProblem& problem);

/// make_cbam, of each hardness, and normal output gradients; forward is run.
CbamBackwardProblem make_cbam_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Two products of three for a place's and a channel's gate, and two multiply-adds for dF, for each place of a map; six
/// small products an image, and two convolutions' worth of the spatial gate; gated_backward_bytes.
ladder::Cost cost(const CbamBackwardProblem& problem);

/// The mechanism with its ladder.
using CbamBackward = ladder::Mechanism<CbamBackwardProblem, CbamBackwardOutput, CbamBackwardReference>;
const CbamBackward& cbam_backward();
ladder::MechanismPtr cbam_backward_mechanism();

}  // namespace attention::convolutional
