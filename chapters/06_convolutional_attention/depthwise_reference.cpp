#include <algorithm>
#include <cmath>

#include "depthwise.hpp"

namespace attention::convolutional {

ConvolutionReference reference(const DepthwiseProblem& p) {
  ConvolutionReference out;
  out.output = tensor::empty<4, double>(p.input.shape());
  const Index kernel = p.kernel();
  double sums = 0;
#pragma omp parallel for reduction(max : sums) schedule(dynamic)
  for (Index plane = 0; plane < p.planes(); ++plane)
    for (Index y = 0; y < p.height(); ++y)
      for (Index x = 0; x < p.width(); ++x) {
        WatchedSum sum;
        sum.add(static_cast<double>(p.bias_of(plane)));
        for (Index u = 0; u < kernel; ++u)
          for (Index v = 0; v < kernel; ++v) {
            const Index from_y = y + u - p.radius();
            const Index from_x = x + v - p.radius();
            const bool inside = from_y >= 0 && from_y < p.height() && from_x >= 0 && from_x < p.width();
            const double pixel = inside ? static_cast<double>(p.plane(plane)[from_y * p.width() + from_x]) : 0.0;
            sum.add(static_cast<double>(p.weight_of(plane)[u * kernel + v]) * pixel);
          }
        out.output.data()[plane * p.pixels() + y * p.width() + x] = sum.value;
        sums = std::max(sums, sum.extent());
      }
  out.sums = sums;
  return out;
}

}  // namespace attention::convolutional
