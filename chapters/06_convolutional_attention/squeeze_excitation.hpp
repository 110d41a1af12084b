#pragma once

#include "feature_maps.hpp"

namespace attention::convolutional {

/// Squeeze-and-excitation (Hu, Shen, Sun 2018, Squeeze-and-Excitation Networks): one factor for every channel, from the
/// means of all channels. For each image, with u_c the map of channel c of height × width places:
///
///     z_c = 1/(H·W) Σ_i Σ_j u_c(i, j)             equation 2, squeeze
///     s   = σ(W₂ · max(0, W₁ z))                  equation 3, excitation
///     x_c = s_c · u_c                             equation 4, scale
///
/// W₁ has channels/reduction rows (1 at least). The biases that published networks have are here, too; zeros give the equations.
struct SqueezeExcitationProblem : FeatureMaps {
  Tensor<2> reduce_weight;  ///< W₁: [hidden, channels]
  Tensor<1> reduce_bias;    ///< [hidden]
  Tensor<2> expand_weight;  ///< W₂: [channels, hidden]
  Tensor<1> expand_bias;    ///< [channels]
  Index reduction = 16;     ///< r, from which hidden was computed

  Index hidden() const { return tensor::extent(reduce_weight, 0); }
};

/// The formula in float64, and how large its sums became on their way.
struct SqueezeExcitationReference : GatedMapsOf<double> {
  TensorOf<double, 2> mean;    ///< z: [batch, channels]
  TensorOf<double, 2> hidden;  ///< max(0, W₁ z): [batch, hidden]
  double pool_sums = 0;      ///< largest |partial sum| over a map
  double hidden_sums = 0;    ///< … of a hidden unit
  double gate_sums = 0;      ///< … of a gate's argument
  double largest_slope = 0;  ///< largest s (1 − s)
};

/// The oracle: the formula in float64, plain loops, in parallel over the images.
SqueezeExcitationReference reference(const SqueezeExcitationProblem& problem);

/// make_maps, with normal weights of variance 1/inputs and small normal biases.
SqueezeExcitationProblem make_squeeze_excitation(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same weights, only these images.
SqueezeExcitationProblem take_images(const SqueezeExcitationProblem& problem, std::span<const Index> images);

/// An addition and a multiplication a place, two small products an image; gated_bytes.
ladder::Cost cost(const SqueezeExcitationProblem& problem);

/// Numbers that training would set, in one block: 2C²/r + C/r + C where r divides C.
Index squeeze_excitation_parameters(Index channels, Index reduction);

/// The mechanism with its ladder.
using SqueezeExcitation = ladder::Mechanism<SqueezeExcitationProblem, GatedMaps, SqueezeExcitationReference>;
const SqueezeExcitation& squeeze_excitation();
ladder::MechanismPtr squeeze_excitation_mechanism();

}  // namespace attention::convolutional
