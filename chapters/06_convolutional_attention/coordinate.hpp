#pragma once

#include "feature_maps.hpp"

namespace attention::convolutional {

/// Coordinate attention (Hou, Zhou, Feng 2021, Coordinate Attention for Efficient Mobile Network Design): one factor for every row of
/// every map, and one for every column. For each image, with x_c the map of channel c of H rows and W columns:
///
///     z^h_c(i) = 1/W Σ_j x_c(i, j)                      equation 4, the mean of a row
///     z^w_c(j) = 1/H Σ_i x_c(i, j)                      equation 5, the mean of a column
///     f        = δ(F₁ [z^h, z^w])                       equation 6: over H + W places, channels → hidden
///     g^h      = σ(F_h f^h),  g^w = σ(F_w f^w)          equations 7 and 8, of its first H places and its last W
///     y_c(i,j) = x_c(i, j) · g^h_c(i) · g^w_c(j)        equation 9
///
/// F₁, F_h and F_w are convolutions of 1 × 1, each with a bias. The batch norm after F₁ is not here: once a network is trained it is
/// folded into F₁'s weights and bias. δ is "non-linear" in the paper; here it is what the authors' published code has, h-swish, and
/// so is the number of hidden channels: channels/reduction, and 8 at least.
struct CoordinateProblem : FeatureMaps {
  Tensor<2> reduce_weight;  ///< F₁: [hidden, channels]
  Tensor<1> reduce_bias;    ///< [hidden]
  Tensor<2> row_weight;     ///< F_h: [channels, hidden]
  Tensor<1> row_bias;       ///< [channels]
  Tensor<2> column_weight;  ///< F_w: [channels, hidden]
  Tensor<1> column_bias;    ///< [channels]
  Index reduction = 32;     ///< r, from which hidden was computed

  Index hidden() const { return tensor::extent(reduce_weight, 0); }
  /// Means of a map: of its rows and of its columns.
  Index lines() const { return height() + width(); }
};

template <class Real>
struct CoordinateOutputOf {
  TensorOf<Real, 4> output;       ///< y: [batch, channels, height, width]
  TensorOf<Real, 3> row_gate;     ///< g^h: [batch, channels, height]
  TensorOf<Real, 3> column_gate;  ///< g^w: [batch, channels, width]

  Real* row_gate_of(Index b) { return row_gate.data() + b * tensor::extent(row_gate, 1) * tensor::extent(row_gate, 2); }
  Real* column_gate_of(Index b) { return column_gate.data() + b * tensor::extent(column_gate, 1) * tensor::extent(column_gate, 2); }
  Real* map_of(Index b, Index c) {
    return output.data() + (b * tensor::extent(output, 1) + c) * tensor::extent(output, 2) * tensor::extent(output, 3);
  }
};
using CoordinateOutput = CoordinateOutputOf<float>;

/// The formula in float64, and how large its sums became on their way.
struct CoordinateReference : CoordinateOutputOf<double> {
  double row_sums = 0;      ///< largest |partial sum| over a row
  double column_sums = 0;   ///< … over a column
  double hidden_sums = 0;   ///< … of a hidden unit
  double gate_sums = 0;     ///< … of a gate's argument
  double slope = 0;         ///< largest g (1 − g)
  double row_moves = 0;     ///< largest g^h (1 − g^h) g^w |x|: by how much y moves with the argument of g^h
  double column_moves = 0;  ///< … of g^w
};

/// x · min(max(x + 3, 0), 6)/6 (Howard et al. 2019): 0 below −3, x above 3; NaN for NaN.
template <class Real>
Real hard_swish(Real x) {
  const Real ramp = relu(x + 3);
  return x * (ramp > 6 ? Real{6} : ramp) / 6;
}

/// The sizes of the output for `problem`. Storage that fits already is kept.
void prepare(const CoordinateProblem& problem, CoordinateOutput& output);

/// The oracle: the formula in float64, plain loops, in parallel over the images.
CoordinateReference reference(const CoordinateProblem& problem);

/// make_maps, with normal weights of variance 1/inputs and small normal biases.
CoordinateProblem make_coordinate(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same weights, only these images.
CoordinateProblem take_images(const CoordinateProblem& problem, std::span<const Index> images);

/// Two additions and two multiplications a place of a map, three small products for each line; gated_bytes.
ladder::Cost cost(const CoordinateProblem& problem);

/// The published code's number of hidden channels: channels/reduction, 8 at least.
Index coordinate_hidden(Index channels, Index reduction);

/// Numbers that training would set, in one block, with the biases and without the batch norm.
Index coordinate_parameters(Index channels, Index reduction);

/// The mechanism with its ladder.
using Coordinate = ladder::Mechanism<CoordinateProblem, CoordinateOutput, CoordinateReference>;
const Coordinate& coordinate();
ladder::MechanismPtr coordinate_mechanism();

}  // namespace attention::convolutional
