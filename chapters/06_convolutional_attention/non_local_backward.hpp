#pragma once

#include <array>

#include "backward.hpp"
#include "non_local.hpp"

namespace attention::convolutional {

/// The backward pass of the non-local block: the chain rule through equations 1 and 6 of Wang et al. 2018. Given dZ =
/// ∂L/∂z, with an image a matrix X [channels × positions], and Y [positions × inner] the means y_i side by side:
///
///     dY   = dZᵀ W_z                               [positions × inner]
///     dW_z = dZ Y                                  [channels × inner]
///     dQ, dK, dV  from  dY                         chapter 2: θ, φ, g of X are queries, keys, values, scale 1
///     dθ   = dQᵀ Xᵀ,  likewise dφ and dg           [inner × channels]
///     dX   = dZ + θᵀ dQᵀ + φᵀ dKᵀ + gᵀ dVᵀ         the residual hands dZ on as it is
///
/// Those of the weights are summed over the images.
struct NonLocalBackwardProblem {
  NonLocalProblem forward;
  Tensor<4> output_gradient;  ///< dZ: [batch, channels, height, width]
  /// Kept by forward: θ(x), φ(x), g(x) as Q, K, V [batch, 1, positions, inner], y and lse. Its output_gradient is room
  /// for dY.
  dot_product::BackwardProblem kept;

  const float* output_gradient_of(Index b) const {
    return output_gradient.data() + b * forward.channels() * forward.positions();
  }
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct NonLocalBackwardOutputOf {
  TensorOf<Real, 4> input;
  TensorOf<Real, 2> theta, phi, g, out_weight;
};
using NonLocalBackwardOutput = NonLocalBackwardOutputOf<float>;

/// The formula in float64, and how far float32 may be from each of the five (running_error.hpp), in their order.
struct NonLocalBackwardReference : NonLocalBackwardOutputOf<double> {
  std::array<double, 5> errors = {};
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const NonLocalBackwardProblem& problem, NonLocalBackwardOutput& output);

/// The oracle: the formula in float64. It takes nothing from forward.
NonLocalBackwardReference reference(const NonLocalBackwardProblem& problem);

/// make_non_local of each hardness, and normal output gradients; forward is run.
NonLocalBackwardProblem make_non_local_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                ladder::Hardness hardness);

/// Fills in `kept` but for its output_gradient, which gets its size.
void run_forward(NonLocalBackwardProblem& problem);

/// Multiply-adds of the eight products with the maps and the weights, and of chapter 2's five over all pairs.
ladder::Cost cost(const NonLocalBackwardProblem& problem);

/// The mechanism with its ladder.
using NonLocalBackward = ladder::Mechanism<NonLocalBackwardProblem, NonLocalBackwardOutput, NonLocalBackwardReference>;
const NonLocalBackward& non_local_backward();
ladder::MechanismPtr non_local_backward_mechanism();

}  // namespace attention::convolutional
