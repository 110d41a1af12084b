#pragma once

#include <vector>

#include "layers/window.hpp"

namespace attention::convolutional {

/// A convolution as networks use it (operator Conv of ONNX; Dumoulin and Visin 2016): a cross-correlation over one to three
/// axes, the channels in `groups` groups that know nothing of each other:
///
///     output[b, o, p] = bias[o] + Σ_c Σ_t weight[o, c, t] · input[b, group of o, c, p · stride + t · dilation − before]
///
/// input [batch, in_channels, spatial …], weight [out_channels, in_channels / groups, kernel …], bias [out_channels] or none,
/// output [batch, out_channels, spatial …], all row-major. What lies outside of the input is 0, and is multiplied like any other
/// number: beside it a weight that is NaN or infinite gives NaN.
struct ConvolutionLayer {
  Index batch = 0;
  Index in_channels = 0;
  Index out_channels = 0;
  Index groups = 1;
  Window window;

  Index group_in() const { return in_channels / groups; }
  Index group_out() const { return out_channels / groups; }
  /// Terms of one output's sum.
  Index depth() const { return group_in() * window.taps(); }
  std::vector<Index> output_shape() const;
};

/// The layer for an input and weights of these shapes. An empty kernel is that of the weights. Throws UserError where the shapes
/// or attributes contradict each other or are absurdly large.
ConvolutionLayer convolution_layer(std::span<const Index> input, std::span<const Index> weight, WindowAttributes attributes, Index groups);

/// float32, all threads; bias may be null. One input channel a group: each tap's row is added to the output's row. Else patches
/// as columns (im2col) and the micro-kernel's matrix product, block by block, so that the matrix of patches is never whole. The
/// order of a sum depends on the shapes alone.
void convolve(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output);

/// The formula in plain loops and float64: the oracle. `sums`, where given, takes the largest |partial sum|, at least the root of
/// its terms' squares: rounding is in proportion to it.
std::vector<double> convolve_plain(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias,
                                   double* sums = nullptr);

}  // namespace attention::convolutional
