#pragma once

#include <cstdint>

#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

namespace attention::convolutional {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// The non-local block (Wang, Girshick, Gupta, He 2018, Non-local Neural Networks): every position of a map looks at all others.
/// With x_i the channels at position i of P = height · width:
///
///     y_i = 1/C(x) Σ_j f(x_i, x_j) g(x_j)                                  equation 1
///     f(x_i, x_j) = exp(θ(x_i)ᵀ φ(x_j)),  C(x) = Σ_j f(x_i, x_j)            section 3.2, embedded Gaussian: a softmax over j
///     z_i = W_z y_i + x_i                                                   equation 6 (the residual)
///
/// θ, φ and g are 1×1 convolutions from `channels` to `inner` channels (half of them in the paper), W_z is one back. No biases,
/// as in the paper's formulas.
struct NonLocalProblem {
  Tensor<4> input;       ///< [batch, channels, height, width]
  Tensor<2> theta;       ///< [inner, channels]
  Tensor<2> phi;         ///< [inner, channels]
  Tensor<2> g;           ///< [inner, channels]
  Tensor<2> out_weight;  ///< W_z: [channels, inner]

  Index batch() const { return tensor::extent(input, 0); }
  Index channels() const { return tensor::extent(input, 1); }
  Index height() const { return tensor::extent(input, 2); }
  Index width() const { return tensor::extent(input, 3); }
  Index positions() const { return height() * width(); }
  Index inner() const { return tensor::extent(theta, 0); }

  /// One image as a matrix [channels, positions].
  const float* image_of(Index b) const { return input.data() + b * channels() * positions(); }
};

template <class Real>
struct NonLocalOutputOf {
  TensorOf<Real, 4> output;   ///< z: [batch, channels, height, width]
  TensorOf<Real, 3> weights;  ///< f / C: [batch, positions (that look), positions (looked at)] where the rung stores them, else empty
  TensorOf<Real, 3> spare_weights = {};  ///< memory for them while they are not stored
};
using NonLocalOutput = NonLocalOutputOf<float>;

/// The formula in float64, and how large its parts became on their way: rounding is in proportion to these.
struct NonLocalReference : NonLocalOutputOf<double> {
  double query_sums = 0;     ///< largest |partial sum| of a θ(x_i), at least the root of its terms' squares
  double key_sums = 0;       ///< … of a φ(x_j)
  double value_sums = 0;     ///< … of a g(x_j)
  double score_sums = 0;     ///< … of a score
  double mean_sums = 0;      ///< … of a y_i
  double output_sums = 0;    ///< … of a z_i
  double query_norm = 0;     ///< largest |θ(x_i)|
  double key_norm = 0;       ///< largest |φ(x_j)|
  double largest_back = 0;   ///< largest entry of a W_z g(x_j): what one position alone would add
  double concentration = 0;  ///< largest sqrt(Σ_j weights_ij²) of a position
};

/// The size of the output for `problem`; `weights` only where they are stored. Storage that fits already is kept.
void prepare(const NonLocalProblem& problem, NonLocalOutput& output, bool store_weights);

/// The oracle: the formula in float64, plain loops, in parallel over the positions.
NonLocalReference reference(const NonLocalProblem& problem);

/// Normal entries; weights such that embeddings and outputs have variance 1; inner = channels / 2, at least 1.
/// Hard ones: θ × 20 (large scores), a map that is the same everywhere, a last position five times as large, signed zeros and
/// tiny values.
NonLocalProblem make_non_local(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Multiply-adds of the four 1×1 convolutions and of the two products over all pairs, one exponential a pair.
ladder::Cost cost(const NonLocalProblem& problem);

/// The mechanism with its ladder.
using NonLocal = ladder::Mechanism<NonLocalProblem, NonLocalOutput, NonLocalReference>;
const NonLocal& non_local();
ladder::MechanismPtr non_local_mechanism();

}  // namespace attention::convolutional
