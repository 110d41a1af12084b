#include <algorithm>

#include "convolution.hpp"
#include "feature_maps.hpp"

namespace attention::convolutional {

ConvolutionReference reference(const ConvolutionProblem& p) {
  ConvolutionReference out;
  out.output = tensor::empty<4, double>({p.input.shape()[0], p.weight.shape()[0], p.input.shape()[2], p.input.shape()[3]});
  const Index kernel = p.kernel();
  const Index radius = p.radius();
  const Index planes = p.batch() * p.out_channels();
  double sums = 0;
#pragma omp parallel for reduction(max : sums) schedule(dynamic)
  for (Index plane = 0; plane < planes; ++plane) {
    const Index o = plane % p.out_channels();
    const float* image = p.image_of(plane / p.out_channels());
    const float* weight = p.weight.data() + o * p.depth();
    for (Index y = 0; y < p.height(); ++y)
      for (Index x = 0; x < p.width(); ++x) {
        WatchedSum sum;
        sum.add(static_cast<double>(p.bias.data()[o]));
        for (Index c = 0; c < p.in_channels(); ++c)
          for (Index u = 0; u < kernel; ++u)
            for (Index v = 0; v < kernel; ++v) {
              const Index from_y = y + p.dilation * u - radius;
              const Index from_x = x + p.dilation * v - radius;
              const bool inside = from_y >= 0 && from_y < p.height() && from_x >= 0 && from_x < p.width();
              const double pixel = inside ? static_cast<double>(image[(c * p.height() + from_y) * p.width() + from_x]) : 0.0;
              sum.add(static_cast<double>(weight[(c * kernel + u) * kernel + v]) * pixel);
            }
        out.output.data()[plane * p.pixels() + y * p.width() + x] = sum.value;
        sums = std::max(sums, sum.extent());
      }
  }
  out.sums = sums;
  return out;
}

}  // namespace attention::convolutional
