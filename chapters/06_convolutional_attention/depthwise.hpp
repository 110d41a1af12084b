#pragma once

#include "convolution.hpp"
#include "feature_maps.hpp"

namespace attention::convolutional {

/// The depthwise convolution (Howard et al. 2017, section 3.1, equation 3): every channel is convolved alone, with a
/// kernel of its own. Stride 1 and a border of zeros that keeps the size, as for the convolution:
///
///     output[b, c, y, x] = bias[c] + Σ_u Σ_v weight[c, u, v] · input[b, c, y + u − r, x + v − r],   r = (kernel − 1)/2
struct DepthwiseProblem {
  Tensor<4> input;   ///< [batch, channels, height, width]
  Tensor<3> weight;  ///< [channels, kernel, kernel], kernel odd
  Tensor<1> bias;    ///< [channels]

  Index batch() const { return tensor::extent(input, 0); }
  Index channels() const { return tensor::extent(input, 1); }
  Index height() const { return tensor::extent(input, 2); }
  Index width() const { return tensor::extent(input, 3); }
  Index kernel() const { return tensor::extent(weight, 1); }
  Index radius() const { return kernel() / 2; }
  Index pixels() const { return height() * width(); }
  /// Terms of one output's sum.
  Index taps() const { return kernel() * kernel(); }
  Index planes() const { return batch() * channels(); }

  /// Plane `i` counts over images and channels together.
  const float* plane(Index i) const { return input.data() + i * pixels(); }
  const float* weight_of(Index i) const { return weight.data() + i % channels() * taps(); }
  float bias_of(Index i) const { return bias.data()[i % channels()]; }
};

void prepare(const DepthwiseProblem& problem, ConvolutionOutput& output);

/// The oracle: the formula in float64, plain loops.
ConvolutionReference reference(const DepthwiseProblem& problem);

/// As make_convolution: normal pixels, weights of variance 1/taps, normal biases, and its hard kinds. Throws UserError
/// where the kernel is even.
DepthwiseProblem make_depthwise(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same images, only these channels.
DepthwiseProblem take_channels(const DepthwiseProblem& problem, std::span<const Index> channels);

/// Multiply-adds with pixels; those with the border's zeros are not counted.
ladder::Cost cost(const DepthwiseProblem& problem);

/// The mechanism with its ladder.
using Depthwise = ladder::Mechanism<DepthwiseProblem, ConvolutionOutput, ConvolutionReference>;
const Depthwise& depthwise();
ladder::MechanismPtr depthwise_mechanism();

}  // namespace attention::convolutional
