#pragma once

#include <cstdint>

#include "feature_maps.hpp"

namespace attention::convolutional {

/// The convolutional block attention module (Woo, Park, Lee, Kweon 2018, CBAM): first one factor for every channel, then one for
/// every place. For each image F, with F_c its maps and F_p its places:
///
///     M_c = σ(W₁ max(0, W₀ a) + W₁ max(0, W₀ m)),  a, m = mean and maximum of each map          equation 2
///     F′  = M_c ⊗ F                                                                            equation 1
///     M_s = σ(f ∗ [mean of F′_p over the channels; maximum of F′_p over the channels])          equation 3
///     F″  = M_s ⊗ F′                                                                           equation 1
///
/// f is a convolution of two channels to one, 7 × 7 in the paper, with a border of zeros. No biases, as in the equations.
struct CbamProblem : FeatureMaps {
  Tensor<2> reduce_weight;   ///< W₀: [hidden, channels]
  Tensor<2> expand_weight;   ///< W₁: [channels, hidden]
  Tensor<3> spatial_weight;  ///< f: [2, kernel, kernel], kernel odd; the mean's weights first
  Index reduction = 16;      ///< r, from which hidden was computed

  Index hidden() const { return tensor::extent(reduce_weight, 0); }
  Index kernel() const { return tensor::extent(spatial_weight, 1); }
  Index radius() const { return kernel() / 2; }
};

template <class Real>
struct CbamOutputOf {
  TensorOf<Real, 4> output;        ///< F″: [batch, channels, height, width]
  TensorOf<Real, 2> channel_gate;  ///< M_c: [batch, channels]
  TensorOf<Real, 3> spatial_gate;  ///< M_s: [batch, height, width]

  Real* channel_gate_of(Index b) { return channel_gate.data() + b * tensor::extent(channel_gate, 1); }
  Real* spatial_gate_of(Index b) { return spatial_gate.data() + b * tensor::extent(spatial_gate, 1) * tensor::extent(spatial_gate, 2); }
  Real* map_of(Index b, Index c) {
    return output.data() + (b * tensor::extent(output, 1) + c) * tensor::extent(output, 2) * tensor::extent(output, 3);
  }
};
using CbamOutput = CbamOutputOf<float>;

/// What forward knows beside its output, and the way back needs.
template <class Real>
struct CbamKept {
  TensorOf<Real, 2> mean;                     ///< a: [batch, channels]
  TensorOf<Real, 2> largest;                  ///< m: [batch, channels]
  TensorOf<std::int32_t, 2> largest_place;    ///< the first place that has it: [batch, channels]
  TensorOf<Real, 2> hidden_mean;              ///< max(0, W₀ a): [batch, hidden]
  TensorOf<Real, 2> hidden_largest;           ///< max(0, W₀ m): [batch, hidden]
  TensorOf<Real, 2> channel_gate;             ///< M_c: [batch, channels]
  TensorOf<Real, 4> pooled;                   ///< mean and maximum of F′ over the channels: [batch, 2, height, width]
  TensorOf<std::int32_t, 3> largest_channel;  ///< the first channel that has the maximum: [batch, height, width]
  TensorOf<Real, 3> spatial_gate;             ///< M_s: [batch, height, width]
};

/// The formula in float64, and how large its sums became on their way.
struct CbamReference : CbamOutputOf<double> {
  CbamKept<double> kept;       ///< but for the gates, which are the output's
  double pool_sums = 0;        ///< largest |partial sum| over a map
  double hidden_sums = 0;      ///< … of a hidden unit
  double gate_sums = 0;        ///< … of a channel gate's argument
  double channel_slope = 0;    ///< largest M_c (1 − M_c)
  double channel_moves = 0;    ///< largest M_c (1 − M_c) |F|: by how much F′ moves with its gate's argument
  double gated = 0;            ///< largest |F′|
  double place_sums = 0;       ///< largest |partial sum| of F′ over the channels
  double spatial_sums = 0;     ///< … of a spatial gate's argument
  double spatial_slope = 0;    ///< largest M_s (1 − M_s)
  double spatial_moves = 0;    ///< largest M_s (1 − M_s) |F′|
};

/// The sizes of the output for `problem`. Storage that fits already is kept.
void prepare(const CbamProblem& problem, CbamOutput& output);

/// The oracle: the formula in float64, plain loops, in parallel over the images.
CbamReference reference(const CbamProblem& problem);

/// make_maps, with normal weights of variance 1/inputs. Throws UserError where the kernel is even.
CbamProblem make_cbam(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same weights, only these images.
CbamProblem take_images(const CbamProblem& problem, std::span<const Index> images);

/// Two additions and three multiplications a place of a map, the products and the convolution; gated_bytes. Comparisons of the
/// maxima are not counted.
ladder::Cost cost(const CbamProblem& problem);

/// Numbers that training would set, in one block.
Index cbam_parameters(Index channels, Index reduction, Index kernel);

/// The mechanism with its ladder.
using Cbam = ladder::Mechanism<CbamProblem, CbamOutput, CbamReference>;
const Cbam& cbam();
ladder::MechanismPtr cbam_mechanism();

}  // namespace attention::convolutional
