#pragma once

#include "depthwise.hpp"
#include "rungs/convolution_padding.hpp"

namespace attention::convolutional {

/// Floats of one plane with its border.
inline Index padded_size(const DepthwiseProblem& p) {
  return (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
}

/// One plane with its border.
inline void pad_plane(const DepthwiseProblem& p, Index plane, float* to) {
  pad_rows(p.plane(plane), p.height(), p.width(), p.radius(), -p.radius(), p.height() + p.radius(), to);
}

/// One plane in plain loops: what the rungs "loops" and "openmp" do. `padded` has room for it with its border.
inline void convolve_depthwise_plane(const DepthwiseProblem& p, Index plane, float* padded, ConvolutionOutput& out) {
  pad_plane(p, plane, padded);
  const Index kernel = p.kernel();
  const Index row = p.width() + 2 * p.radius();
  const float* weight = p.weight_of(plane);
  float* output = out.output.data() + plane * p.pixels();
  for (Index y = 0; y < p.height(); ++y)
    for (Index x = 0; x < p.width(); ++x) {
      float sum = p.bias_of(plane);
      for (Index u = 0; u < kernel; ++u)
        for (Index v = 0; v < kernel; ++v) sum += weight[u * kernel + v] * padded[(y + u) * row + x + v];
      output[y * p.width() + x] = sum;
    }
}

}  // namespace attention::convolutional
