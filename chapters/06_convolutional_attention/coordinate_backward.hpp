#pragma once

#include <array>

#include "coordinate.hpp"

namespace attention::convolutional {

/// The backward pass of coordinate attention: the chain rule through equations 4 to 9 of Hou, Zhou and Feng 2021. Given
/// dy = ∂L/∂y, with a the arguments of the sigmoids, u that of δ, and the rows written out (the columns likewise, with
/// i and j exchanged):
///
///     da^h_c(i) = g^h (1 − g^h) Σ_j dy_c(i, j) x_c(i, j) g^w_c(j)
///     dF_h = Σ_i da^h(i) f^h(i)ᵀ                    [channels × hidden], db_h likewise without f
///     du^h = δ′(u^h) ∘ F_hᵀ da^h
///     dF₁  = Σ_i du^h(i) z^h(i)ᵀ + Σ_j du^w(j) z^w(j)ᵀ    [hidden × channels], db₁ likewise without z
///     dz^h = F₁ᵀ du^h
///     dx_c(i, j) = dy_c(i, j) g^h_c(i) g^w_c(j) + dz^h_c(i) / W + dz^w_c(j) / H
///
/// Those of the weights are summed over the images.
struct CoordinateBackwardProblem {
  CoordinateProblem forward;
  Tensor<4> output_gradient;  ///< dy: [batch, channels, height, width]
  // Kept by forward: a number for each row and each column of a map, twice.
  Tensor<3> row_mean, row_gate;        ///< z^h, g^h: [batch, channels, height]
  Tensor<3> column_mean, column_gate;  ///< z^w, g^w: [batch, channels, width]
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct CoordinateBackwardOutputOf {
  TensorOf<Real, 4> input;
  TensorOf<Real, 2> reduce_weight;
  TensorOf<Real, 1> reduce_bias;
  TensorOf<Real, 2> row_weight;
  TensorOf<Real, 1> row_bias;
  TensorOf<Real, 2> column_weight;
  TensorOf<Real, 1> column_bias;
};
using CoordinateBackwardOutput = CoordinateBackwardOutputOf<float>;

/// The formula in float64, and how far float32 may be from each of the seven (running_error.hpp), in their order.
struct CoordinateBackwardReference : CoordinateBackwardOutputOf<double> {
  std::array<double, 7> errors = {};
};

/// δ′ of h-swish: 0 up to −3, 1 from 3 on, a line between. It jumps at both, by ½; what it is there is nobody's
/// concern.
template <class Real>
Real hard_swish_slope(Real u) {
  if (u <= -3) return 0;
  if (u >= 3) return 1;
  return (2 * u + 3) / 6;
}

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const CoordinateBackwardProblem& problem, CoordinateBackwardOutput& output);

/// The oracle: the formula in float64, in parallel over the images. It takes nothing from forward.
CoordinateBackwardReference reference(const CoordinateBackwardProblem& problem);

/// make_coordinate of each hardness, and normal output gradients; forward is run.
CoordinateBackwardProblem make_coordinate_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                   ladder::Hardness hardness);

/// Fills in what forward keeps.
void run_forward(CoordinateBackwardProblem& problem);

/// Nine operations a place of a map, and seven small products for each line. x and dy are read once and dx is written
/// once; what of an image's dy does not stay in the last-level cache must be read again.
ladder::Cost cost(const CoordinateBackwardProblem& problem);

/// The mechanism with its ladder.
using CoordinateBackward =
    ladder::Mechanism<CoordinateBackwardProblem, CoordinateBackwardOutput, CoordinateBackwardReference>;
const CoordinateBackward& coordinate_backward();
ladder::MechanismPtr coordinate_backward_mechanism();

}  // namespace attention::convolutional
