#pragma once

#include <algorithm>

#include "convolution.hpp"
#include "simd/channels_last.hpp"
#include "simd/transpose.hpp"

/// From channels first to channels last and back: what the rungs "channels last" do before and after their convolution.
namespace attention::convolutional {

/// Floats of a band's input and output together: half of a second-level cache of 1 MB.
inline constexpr Index band_floats = 1 << 17;

/// A band of `height` rows, as the kernels for channels last take it.
inline simd::ConvolutionSizes sizes_of(const ConvolutionProblem& p, Index height) {
  return {height, p.width(), p.in_channels(), p.out_channels(), p.kernel(), p.kernel(), p.dilation};
}

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

/// Rows first − radius … first + rows + radius − 1 of `channels` planes from `image` on with their borders, channels
/// last.
inline void turn_in(const ConvolutionProblem& p, const float* image, Index channels, Index first, Index rows,
                    float* to) {
  const Index side = p.radius() * channels, line = p.width() * channels + 2 * side;
  for (Index y = first - p.radius(); y < first + rows + p.radius(); ++y, to += line) {
    if (y < 0 || y >= p.height()) {
      std::fill_n(to, line, 0.F);
      continue;
    }
    std::fill_n(to, side, 0.F);
    turn(image + y * p.width(), p.pixels(), channels, p.width(), to + side, channels);
    std::fill_n(to + line - side, side, 0.F);
  }
}

/// Weights [out, in, kernel, kernel] as [kernel, kernel, in, out]; `scratch` takes as many.
inline void turn_weights(const ConvolutionProblem& p, float* to, float* scratch) {
  const Index taps = p.kernel() * p.kernel(), in = p.in_channels(), out = p.out_channels();
  turn(p.weight.data(), p.depth(), out, p.depth(), scratch, out);
  for (Index c = 0; c < in; ++c)
    for (Index tap = 0; tap < taps; ++tap)
      std::copy_n(scratch + (c * taps + tap) * out, out, to + (tap * in + c) * out);
}

}  // namespace attention::convolutional
