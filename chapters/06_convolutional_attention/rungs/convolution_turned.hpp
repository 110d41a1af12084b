#pragma once

#include <algorithm>

#include "convolution.hpp"
#include "simd/channels_last.hpp"
#include "simd/transpose.hpp"

/// The convolution's images and weights with their channels last, so that a vector holds channels; and back.
namespace attention::convolutional {

/// simd::transpose; ends that fill no square are turned with a part of the square before them once more.
inline void turn(const float* from, Index from_stride, Index rows, Index columns, float* to, Index to_stride) {
  if (rows < simd::lanes || columns < simd::lanes)
    return simd::transpose(from, from_stride, rows, columns, to, to_stride);
  for (Index i = 0; i < rows; i += simd::lanes) {
    const Index row = std::min(i, rows - simd::lanes);
    for (Index j = 0; j < columns; j += simd::lanes) {
      const Index column = std::min(j, columns - simd::lanes);
      simd::transpose_square(from + row * from_stride + column, from_stride, to + column * to_stride + row, to_stride);
    }
  }
}

/// Floats of a band's input and output together: half of a second-level cache of 1 MB.
inline constexpr Index turned_band_floats = 1 << 17;

/// A band of `height` rows, as the kernels for channels last take it.
inline simd::ConvolutionSizes sizes_of(const ConvolutionProblem& p, Index height) {
  return {height, p.width(), p.in_channels(), p.out_channels(), p.kernel(), p.kernel(), p.dilation};
}

/// `rows` rows of the `channels` planes from `image` on, from row `first` on, each `line` pixels from −radius on, `stride` floats from
/// pixel to pixel: pixels outside the image are zeros. Floats of a pixel beyond its channels are left as they are inside the image.
inline void turn_in(const ConvolutionProblem& p, const float* image, Index channels, Index first, Index rows, Index line,
                    Index stride, float* to) {
  const Index left = p.radius() * stride, right = (line - p.radius() - p.width()) * stride;
  for (Index y = first; y < first + rows; ++y, to += line * stride) {
    if (y < 0 || y >= p.height()) {
      std::fill_n(to, line * stride, 0.F);
      continue;
    }
    std::fill_n(to, left, 0.F);
    turn(image + y * p.width(), p.pixels(), channels, p.width(), to + left, stride);
    std::fill_n(to + line * stride - right, right, 0.F);
  }
}

/// The rows first … first + rows − 1 with the border that the kernel sees on all sides.
inline void turn_in_with_border(const ConvolutionProblem& p, const float* image, Index channels, Index first, Index rows, float* to) {
  turn_in(p, image, channels, first - p.radius(), rows + 2 * p.radius(), p.width() + 2 * p.radius(), channels, to);
}

/// `rows` rows of outputs, `stride` floats from pixel to pixel, to the planes of the output from row `first` on.
inline void turn_out(const ConvolutionProblem& p, Index b, Index first, Index rows, Index stride, const float* band,
                     ConvolutionOutput& out) {
  turn(band, stride, rows * p.width(), p.out_channels(), out.plane_of(b, 0) + first * p.width(), p.pixels());
}

/// Weights [out, in, kernel, kernel] as [kernel, kernel, in, stride], stride ≥ out; `scratch` takes depth · out.
inline void turn_weights(const ConvolutionProblem& p, Index stride, float* to, float* scratch) {
  const Index taps = p.kernel() * p.kernel(), in = p.in_channels(), out = p.out_channels();
  turn(p.weight.data(), p.depth(), out, p.depth(), scratch, out);
  for (Index c = 0; c < in; ++c)
    for (Index tap = 0; tap < taps; ++tap)
      std::copy_n(scratch + (c * taps + tap) * out, out, to + (tap * in + c) * stride);
}

}  // namespace attention::convolutional
