#pragma once

#include <algorithm>

#include "convolution.hpp"
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

/// `rows` rows of an image from `first` on, each `line` pixels from −radius on, `stride` floats from pixel to pixel:
/// pixels outside the image are zeros. Floats of a pixel beyond its channels are left as they are inside the image.
inline void turn_in(const ConvolutionProblem& p, Index b, Index first, Index rows, Index line, Index stride,
                    float* to) {
  const Index left = p.radius() * stride, right = (line - p.radius() - p.width()) * stride;
  for (Index y = first; y < first + rows; ++y, to += line * stride) {
    if (y < 0 || y >= p.height()) {
      std::fill_n(to, line * stride, 0.F);
      continue;
    }
    std::fill_n(to, left, 0.F);
    turn(p.image_of(b) + y * p.width(), p.pixels(), p.in_channels(), p.width(), to + left, stride);
    std::fill_n(to + line * stride - right, right, 0.F);
  }
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
