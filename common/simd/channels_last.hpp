#pragma once

#include <cstddef>

/// The convolution of one picture whose channels stand last, [height, width, channels]: what a training calls, one thread a picture.
///
/// In this layout the pixels under one row of the window are one run of memory, kernel_width · channels floats, and so is what they are
/// multiplied by. A convolution is then a matrix product whose left rows overlap: nothing is copied but the picture with its border.
namespace attention::simd {

/// Stride 1, a border of zeros that keeps the size; the sides of the kernel are odd.
struct ConvolutionSizes {
  std::ptrdiff_t height, width;
  std::ptrdiff_t in, out;  ///< channels
  std::ptrdiff_t kernel_height, kernel_width;
  std::ptrdiff_t dilation = 1;  ///< pixels from one tap to the next

  std::ptrdiff_t border_height() const { return dilation * (kernel_height / 2); }
  std::ptrdiff_t border_width() const { return dilation * (kernel_width / 2); }
  std::ptrdiff_t padded_width() const { return width + 2 * border_width(); }
  std::ptrdiff_t padded_size() const { return (height + 2 * border_height()) * padded_width() * in; }
  std::ptrdiff_t pixels() const { return height * width; }
  /// Terms of one output's sum.
  std::ptrdiff_t depth() const { return kernel_height * kernel_width * in; }
  std::ptrdiff_t packed_size() const;
  /// The convolution that brings the gradient of the output back to the input.
  ConvolutionSizes backwards() const;
};

/// The picture [height, width, in] with its border: padded_size() floats.
void pad(const ConvolutionSizes& sizes, const float* picture, float* padded);

/// Weights [kernel_height, kernel_width, in, out] in the order in which convolve() reads them.
void pack_weights(const ConvolutionSizes& sizes, const float* weights, float* packed);
/// The same weights as backwards() takes them: turned by half a turn, [kernel_height, kernel_width, out, in]. `turned` has depth() · out floats.
void turn_weights(const ConvolutionSizes& sizes, const float* weights, float* turned);

/// output[y, x, o] = bias[o] + Σ padded[y + u·dilation, x + v·dilation, c] · weights[u, v, c, o]; output is [height, width, out].
/// Without a bias (null) the sums begin with 0.
void convolve(const ConvolutionSizes& sizes, const float* padded, const float* packed, float* output, const float* bias = nullptr);

/// into[u, v, c, o] += Σ over the pixels of padded[y + u·dilation, x + v·dilation, c] · gradient[y, x, o].
void add_weight_gradient(const ConvolutionSizes& sizes, const float* padded, const float* gradient, float* into);

}  // namespace attention::simd
