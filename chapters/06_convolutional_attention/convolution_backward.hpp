#pragma once

#include "convolution.hpp"

namespace attention::convolutional {

/// The backward pass of the convolution (LeCun et al. 1989; Dumoulin and Visin 2016, section 4, for the turned kernel).
/// Given G = ∂L/∂output, with r = d (kernel − 1)/2 and zeros beyond every border:
///
///     bias_gradient[o]         = Σ_b Σ_y Σ_x G[b, o, y, x]
///     weight_gradient[o,c,u,v] = Σ_b Σ_y Σ_x G[b, o, y, x] · input[b, c, y + d u − r, x + d v − r]
///     input_gradient[b,c,y,x]  = Σ_o Σ_u Σ_v weight[o, c, u, v] · G[b, o, y − d u + r, x − d v + r]
///
/// As in forward the zeros of a border are multiplied like any other pixel: an infinite G or weight makes NaN of them.
struct ConvolutionBackwardProblem : ConvolutionProblem {
  Tensor<4> output_gradient;  ///< G: [batch, out_channels, height, width]

  /// One channel of one image of G: height × width pixels.
  const float* gradient_of(Index b, Index o) const {
    return output_gradient.data() + (b * out_channels() + o) * pixels();
  }
};

template <class Real>
struct ConvolutionBackwardOutputOf {
  TensorOf<Real, 4> input_gradient;   ///< [batch, in_channels, height, width]
  TensorOf<Real, 4> weight_gradient;  ///< [out_channels, in_channels, kernel, kernel]
  TensorOf<Real, 1> bias_gradient;    ///< [out_channels]

  /// One channel of one image: height × width pixels.
  Real* plane_of(Index b, Index c) {
    const auto& s = input_gradient.shape();
    return input_gradient.data() + (b * static_cast<Index>(s[1]) + c) * static_cast<Index>(s[2] * s[3]);
  }
};
using ConvolutionBackwardOutput = ConvolutionBackwardOutputOf<float>;

/// The formula in float64, and how large its sums became on their way: each at least the root of its terms' squares.
struct ConvolutionBackwardReference : ConvolutionBackwardOutputOf<double> {
  double input_sums = 0;   ///< largest |partial sum| of input_gradient
  double weight_sums = 0;  ///< … of weight_gradient
  double bias_sums = 0;    ///< … of bias_gradient
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const ConvolutionBackwardProblem& problem, ConvolutionBackwardOutput& output);

/// The oracle: the formula in float64, plain loops, in parallel over planes and kernels.
ConvolutionBackwardReference backward_reference(const ConvolutionBackwardProblem& problem);

/// make_convolution, of each hardness, and normal output gradients. Throws UserError where the kernel is even.
ConvolutionBackwardProblem make_convolution_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                     ladder::Hardness hardness);

/// Twice the multiply-adds of forward, and an addition an output for the biases; every tensor once.
ladder::Cost cost(const ConvolutionBackwardProblem& problem);

/// The mechanism with its ladder.
using ConvolutionBackward =
    ladder::Mechanism<ConvolutionBackwardProblem, ConvolutionBackwardOutput, ConvolutionBackwardReference>;
const ConvolutionBackward& convolution_backward();
ladder::MechanismPtr convolution_backward_mechanism();

}  // namespace attention::convolutional
