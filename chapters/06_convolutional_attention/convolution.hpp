#pragma once

#include <cstdint>
#include <span>

#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

namespace attention::convolutional {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// The convolution of convolutional networks (LeCun et al. 1989; in the form of Dumoulin and Visin 2016, section 2): a
/// cross-correlation, the kernel is not flipped; stride 1, and a border of zeros that keeps the size ("same"):
///
///     output[b, o, y, x] = bias[o] + Σ_c Σ_u Σ_v weight[o, c, u, v] · input[b, c, y + d u − r, x + d v − r],   r = d (kernel − 1)/2
///
/// d is the dilation (Yu and Koltun 2016): taps stand d pixels apart, 1 for the usual kernel.
/// The zeros of the border are multiplied like any other pixel: a weight that is NaN or infinite spoils all of its channel.
struct ConvolutionProblem {
  Tensor<4> input;   ///< [batch, in_channels, height, width]
  Tensor<4> weight;  ///< [out_channels, in_channels, kernel, kernel], kernel odd
  Tensor<1> bias;    ///< [out_channels]
  Index dilation = 1;  ///< pixels from tap to tap

  Index batch() const { return tensor::extent(input, 0); }
  Index in_channels() const { return tensor::extent(input, 1); }
  Index out_channels() const { return tensor::extent(weight, 0); }
  Index height() const { return tensor::extent(input, 2); }
  Index width() const { return tensor::extent(input, 3); }
  Index kernel() const { return tensor::extent(weight, 2); }
  /// Pixels that the outermost taps stand from the middle.
  Index radius() const { return dilation * (kernel() / 2); }
  Index pixels() const { return height() * width(); }
  /// Terms of one output's sum.
  Index depth() const { return in_channels() * kernel() * kernel(); }

  /// First pixel of one image: in_channels planes of height × width.
  const float* image_of(Index b) const { return input.data() + b * in_channels() * pixels(); }
};

template <class Real>
struct ConvolutionOutputOf {
  TensorOf<Real, 4> output;  ///< [batch, out_channels, height, width]

  /// One channel of one image: height × width pixels.
  Real* plane_of(Index b, Index o) {
    return output.data() + (b * tensor::extent(output, 1) + o) * tensor::extent(output, 2) * tensor::extent(output, 3);
  }
};
using ConvolutionOutput = ConvolutionOutputOf<float>;

/// The formula in float64, and how large its sums became on their way: rounding is in proportion to these.
struct ConvolutionReference : ConvolutionOutputOf<double> {
  double sums = 0;  ///< largest |partial sum| of an output, at least the root of its terms' squares
};

/// The size of the output for `problem`. Storage that fits already is kept.
void prepare(const ConvolutionProblem& problem, ConvolutionOutput& output);

/// The oracle: the formula in float64, plain loops, in parallel over the output planes.
ConvolutionReference reference(const ConvolutionProblem& problem);

/// Normal pixels, weights of variance 1/depth, normal biases. Hard ones: pixels × 1e4, a constant image, a last pixel that is
/// 1000 times the others, signed zeros and tiny values. Throws UserError where the kernel is even.
ConvolutionProblem make_convolution(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same images, only these output channels.
ConvolutionProblem take_out_channels(const ConvolutionProblem& problem, std::span<const Index> channels);

/// Pairs of an output and a tap along one side of an image that meet a pixel, not the border: `side` for the middle tap, fewer
/// for others.
double pairs_inside(Index side, Index kernel, Index dilation);

/// The multiply-adds of the direct sum. Those with a zero of the border are not counted: nobody needs to do them.
ladder::Cost cost(const ConvolutionProblem& problem);

/// The mechanism with its ladder.
using Convolution = ladder::Mechanism<ConvolutionProblem, ConvolutionOutput, ConvolutionReference>;
const Convolution& convolution();
ladder::MechanismPtr convolution_mechanism();

}  // namespace attention::convolutional
