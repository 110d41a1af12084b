#pragma once

#include "feature_maps.hpp"

namespace attention::convolutional {

/// One layer of the spatial branch: a convolution that keeps the size, with a border of zeros.
struct BamLayer {
  Tensor<4> weight;  ///< [outputs, inputs, kernel, kernel], kernel odd
  Tensor<1> bias;    ///< [outputs]

  Index outputs() const { return tensor::extent(weight, 0); }
  Index inputs() const { return tensor::extent(weight, 1); }
  Index kernel() const { return tensor::extent(weight, 2); }
};

/// The bottleneck attention module (Park, Woo, Lee, Kweon 2018, BAM): a channel branch and a spatial branch, added, and one
/// sigmoid over both. For each image F, with a its means over the places:
///
///     F′  = F + F ⊗ M(F)                                            equation 1
///     M   = σ(M_c + M_s), one number a channel plus one a place     equation 2
///     M_c = W₁ max(0, W₀ a + b₀) + b₁                               equation 3
///     M_s = f₃ ∗ max(0, f₂ ∗ max(0, f₁ ∗ max(0, f₀ ∗ F)))           equation 4
///
/// f₀ and f₃ have kernels of 1 × 1, f₁ and f₂ of 3 × 3 whose taps stand `dilation` places apart. Every layer has a bias, and all but
/// the last of each branch a ReLU, as the published network has. Its batch norms are not here: once a network is trained they
/// are a factor and a summand for each output, and are folded into that layer's weights and bias.
///
/// The authors' published code *multiplies* the branches inside the sigmoid, σ(M_c · M_s), where the paper adds them. This is the paper.
struct BamProblem : FeatureMaps {
  Tensor<2> reduce_weight;              ///< W₀: [hidden, channels]
  Tensor<1> reduce_bias;                ///< b₀: [hidden]
  Tensor<2> expand_weight;              ///< W₁: [channels, hidden]
  Tensor<1> expand_bias;                ///< b₁: [channels]
  std::array<BamLayer, 4> spatial = {};  ///< f₀ to f₃: channels → hidden → hidden → hidden → 1
  Index reduction = 16;                 ///< r, from which hidden was computed
  Index dilation = 4;                   ///< places from tap to tap of f₁ and f₂

  Index hidden() const { return tensor::extent(reduce_weight, 0); }
  /// Places that the outermost taps of f₁ and f₂ stand from the middle.
  Index radius() const { return dilation * (spatial[1].kernel() / 2); }
};

template <class Real>
struct BamOutputOf {
  TensorOf<Real, 4> output;          ///< F′: [batch, channels, height, width]
  TensorOf<Real, 2> channel_branch;  ///< M_c: [batch, channels]
  TensorOf<Real, 3> spatial_branch;  ///< M_s: [batch, height, width]

  Real* channel_branch_of(Index b) { return channel_branch.data() + b * tensor::extent(channel_branch, 1); }
  Real* spatial_branch_of(Index b) {
    return spatial_branch.data() + b * tensor::extent(spatial_branch, 1) * tensor::extent(spatial_branch, 2);
  }
  Real* map_of(Index b, Index c) {
    return output.data() + (b * tensor::extent(output, 1) + c) * tensor::extent(output, 2) * tensor::extent(output, 3);
  }
};
using BamOutput = BamOutputOf<float>;

/// The formula in float64, and how large its sums became on their way.
struct BamReference : BamOutputOf<double> {
  double pool_sums = 0;                  ///< largest |partial sum| over a map
  double hidden_sums = 0;                ///< … of a hidden unit of the channel branch
  double channel_sums = 0;               ///< … of M_c
  std::array<double, 4> layer_sums = {};  ///< … of an output of f₀ to f₃
  double slope = 0;                      ///< largest M (1 − M)
  double moves = 0;                      ///< largest M (1 − M) |F|: by how much F′ moves with the sigmoid's argument
};

/// The sizes of the output for `problem`. Storage that fits already is kept.
void prepare(const BamProblem& problem, BamOutput& output);

/// The oracle: the formula in float64, plain loops, in parallel over the images.
BamReference reference(const BamProblem& problem);

/// make_maps, with normal weights of variance 1/inputs and small normal biases.
BamProblem make_bam(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same weights, only these images.
BamProblem take_images(const BamProblem& problem, std::span<const Index> images);

/// A place of a map: one addition, `hidden` multiply-adds for f₀, and four operations to make 1 + M and multiply it; the other
/// layers; gated_bytes. Exponentials: one a channel and one a place, since e^−(a + b) is a product of two. The divisions of the
/// sigmoids are not counted: an estimate and multiply-adds do for them.
ladder::Cost cost(const BamProblem& problem);

/// Numbers that training would set, in one module, with the biases and without batch norms.
Index bam_parameters(Index channels, Index reduction);

/// The mechanism with its ladder.
using Bam = ladder::Mechanism<BamProblem, BamOutput, BamReference>;
const Bam& bam();
ladder::MechanismPtr bam_mechanism();

}  // namespace attention::convolutional
