#pragma once

#include "rungs/convolution_padding.hpp"

namespace attention::convolutional {

/// One output plane in plain loops: what the rungs "loops" and "openmp" do. `padded` holds the image's planes with their borders.
inline void convolve_plane(const ConvolutionProblem& p, const float* padded, Index b, Index o, ConvolutionOutput& out) {
  const Index kernel = p.kernel();
  const Index width = p.width() + 2 * p.radius();
  const Index d = p.dilation;
  const float* weight = p.weight.data() + o * p.depth();
  float* output = out.plane_of(b, o);
  for (Index y = 0; y < p.height(); ++y)
    for (Index x = 0; x < p.width(); ++x) {
      float sum = p.bias.data()[o];
      for (Index c = 0; c < p.in_channels(); ++c)
        for (Index u = 0; u < kernel; ++u)
          for (Index v = 0; v < kernel; ++v)
            sum += weight[(c * kernel + u) * kernel + v] * padded[c * padded_size(p) + (y + d * u) * width + x + d * v];
      output[y * p.width() + x] = sum;
    }
}

}  // namespace attention::convolutional
