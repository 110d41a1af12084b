// Exercise 2, convolution: the sums over channels and taps, with a border of zeros and a dilation; one thread.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "convolution.hpp"

namespace attention::convolutional {

void my_convolution(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel();
  for (Index b = 0; b < p.batch(); ++b)
    for (Index o = 0; o < p.out_channels(); ++o) {
      float* plane = out.plane_of(b, o);
      std::fill(plane, plane + p.pixels(), p.bias.data()[o]);
      for (Index c = 0; c < p.in_channels(); ++c) {
        const float* image = p.image_of(b) + c * p.pixels();
        for (Index u = 0; u < kernel; ++u)
          for (Index v = 0; v < kernel; ++v) {
            const float weight = p.weight.data()[((o * p.in_channels() + c) * kernel + u) * kernel + v];
            // The tap meets pixel (y + down, x + right).
            const Index down = p.dilation * u - p.radius();
            const Index right = p.dilation * v - p.radius();
            for (Index y = std::max<Index>(0, -down); y < std::min(p.height(), p.height() - down); ++y)
              for (Index x = std::max<Index>(0, -right); x < std::min(p.width(), p.width() - right); ++x)
                plane[y * p.width() + x] += weight * image[(y + down) * p.width() + x + right];
          }
      }
    }
}

}  // namespace attention::convolutional
