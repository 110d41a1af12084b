#pragma once

#include "feature_maps.hpp"

namespace attention::convolutional {

/// Efficient channel attention (Wang, Wu, Zhu, Li, Zuo, Hu 2020, ECA-Net): as squeeze-and-excitation, but a channel's gate sees
/// the means of k neighbouring channels only, and the k weights are the same for all:
///
///     g   = means of the maps over their places           section 3.1, global average pooling
///     ω_i = σ(Σ_j w_j g_{i+j−r}),  r = (k − 1)/2          equation 7; outside the channels g is 0
///     x_i = ω_i · u_i
struct EfficientChannelProblem : FeatureMaps {
  Tensor<1> weight;  ///< [kernel], kernel odd; more than there are channels is allowed

  Index kernel() const { return tensor::extent(weight, 0); }
};

/// The formula in float64, and how large its sums became on their way.
struct EfficientChannelReference : GatedMapsOf<double> {
  TensorOf<double, 2> mean;  ///< g: [batch, channels]
  double pool_sums = 0;      ///< largest |partial sum| over a map
  double gate_sums = 0;      ///< … of a gate's argument
  double largest_slope = 0;  ///< largest ω (1 − ω)
};

/// The paper's kernel for so many channels: |log2(C)/2 + 1/2| made odd (equation 12, γ = 2, b = 1), as the authors' code
/// rounds: down, and then up where that is even.
Index efficient_channel_kernel(Index channels);

/// The oracle: the formula in float64, plain loops, in parallel over the images.
EfficientChannelReference reference(const EfficientChannelProblem& problem);

/// make_maps, with normal weights of variance 1/kernel. kernel = 0: by the paper's rule. Throws UserError where it is even.
EfficientChannelProblem make_efficient_channel(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same weights, only these images.
EfficientChannelProblem take_images(const EfficientChannelProblem& problem, std::span<const Index> images);

/// An addition and a multiplication a place, k multiply-adds a channel; gated_bytes.
ladder::Cost cost(const EfficientChannelProblem& problem);

/// The mechanism with its ladder.
using EfficientChannel = ladder::Mechanism<EfficientChannelProblem, GatedMaps, EfficientChannelReference>;
const EfficientChannel& efficient_channel();
ladder::MechanismPtr efficient_channel_mechanism();

}  // namespace attention::convolutional
