#pragma once

#include "convolution_backward.hpp"
#include "rungs/convolution_padding.hpp"

/// Parts of the gradients in plain loops: what the rungs "loops" and "openmp" do. Planes are read from copies with a
/// border of zeros, so that no loop need ask where it is.
namespace attention::convolutional {

/// All planes of a batch with their borders: of the input, or of G.
inline void pad_batch_plane(const ConvolutionProblem& p, const float* planes, Index plane, float* padded) {
  pad_rows(planes + plane * p.pixels(), p.height(), p.width(), p.radius(), -p.radius(), p.height() + p.radius(),
           padded + plane * padded_size(p));
}

/// The gradients of the kernel between input channel c and output channel o. `padded` holds all planes of the input.
inline void kernel_gradient(const ConvolutionBackwardProblem& p, const float* padded, Index o, Index c, float* to) {
  const Index kernel = p.kernel();
  const Index row = p.width() + 2 * p.radius();
  for (Index u = 0; u < kernel; ++u)
    for (Index v = 0; v < kernel; ++v) {
      float sum = 0;
      for (Index b = 0; b < p.batch(); ++b) {
        const float* gradient = p.gradient_of(b, o);
        const float* pixel = padded + (b * p.in_channels() + c) * padded_size(p) + p.dilation * (u * row + v);
        for (Index y = 0; y < p.height(); ++y)
          for (Index x = 0; x < p.width(); ++x) sum += gradient[y * p.width() + x] * pixel[y * row + x];
      }
      to[u * kernel + v] = sum;
    }
}

/// The gradient of one channel of one image. `padded` holds all planes of G.
inline void plane_gradient(const ConvolutionBackwardProblem& p, const float* padded, Index b, Index c, float* to) {
  const Index kernel = p.kernel();
  const Index row = p.width() + 2 * p.radius();
  for (Index y = 0; y < p.height(); ++y)
    for (Index x = 0; x < p.width(); ++x) {
      float sum = 0;
      for (Index o = 0; o < p.out_channels(); ++o) {
        const float* weight = p.weight.data() + o * p.depth() + c * kernel * kernel;
        const float* gradient = padded + (b * p.out_channels() + o) * padded_size(p) + y * row + x;
        // Tap (u, v) looks d (u, v) − r ahead: what it brought to this pixel's neighbours comes back from the other
        // side.
        for (Index u = 0; u < kernel; ++u)
          for (Index v = 0; v < kernel; ++v)
            sum += weight[u * kernel + v] * gradient[p.dilation * ((kernel - 1 - u) * row + kernel - 1 - v)];
      }
      to[y * p.width() + x] = sum;
    }
}

/// Σ G over all places of all images.
inline float bias_gradient(const ConvolutionBackwardProblem& p, Index o) {
  float sum = 0;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.pixels(); ++i) sum += p.gradient_of(b, o)[i];
  return sum;
}

}  // namespace attention::convolutional
