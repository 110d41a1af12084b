#include <algorithm>

#include "convolution_backward.hpp"
#include "feature_maps.hpp"

namespace attention::convolutional {

namespace {

/// A pixel of a plane, and 0 beyond its border.
double pixel(const ConvolutionProblem& p, const float* plane, Index y, Index x) {
  const bool inside = y >= 0 && y < p.height() && x >= 0 && x < p.width();
  return inside ? static_cast<double>(plane[y * p.width() + x]) : 0.0;
}

/// One weight's gradient: all places of all images.
WatchedSum weight_gradient(const ConvolutionBackwardProblem& p, Index o, Index c, Index u, Index v) {
  WatchedSum sum;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index y = 0; y < p.height(); ++y)
      for (Index x = 0; x < p.width(); ++x)
        sum.add(static_cast<double>(p.gradient_of(b, o)[y * p.width() + x]) * pixel(p, p.image_of(b) + c * p.pixels(),
                                                                                    y + p.dilation * u - p.radius(),
                                                                                    x + p.dilation * v - p.radius()));
  return sum;
}

/// One pixel's gradient: all outputs whose windows hold it.
WatchedSum input_gradient(const ConvolutionBackwardProblem& p, Index b, Index c, Index y, Index x) {
  const Index kernel = p.kernel();
  WatchedSum sum;
  for (Index o = 0; o < p.out_channels(); ++o)
    for (Index u = 0; u < kernel; ++u)
      for (Index v = 0; v < kernel; ++v)
        sum.add(static_cast<double>(p.weight.data()[o * p.depth() + (c * kernel + u) * kernel + v]) *
                pixel(p, p.gradient_of(b, o), y - p.dilation * u + p.radius(), x - p.dilation * v + p.radius()));
  return sum;
}

}  // namespace

ConvolutionBackwardReference backward_reference(const ConvolutionBackwardProblem& p) {
  ConvolutionBackwardReference out;
  out.input_gradient = TensorOf<double, 4>(p.input.shape());
  out.weight_gradient = TensorOf<double, 4>(p.weight.shape());
  out.bias_gradient = TensorOf<double, 1>(p.bias.shape());
  const Index kernel = p.kernel();
  double input_sums = 0;
  double weight_sums = 0;
  double bias_sums = 0;
#pragma omp parallel reduction(max : input_sums, weight_sums, bias_sums)
  {
#pragma omp for collapse(2) schedule(dynamic) nowait
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < p.in_channels(); ++c)
        for (Index i = 0; i < p.pixels(); ++i) {
          const WatchedSum sum = input_gradient(p, b, c, i / p.width(), i % p.width());
          out.plane_of(b, c)[i] = sum.value;
          input_sums = std::max(input_sums, sum.extent());
        }
#pragma omp for collapse(2) schedule(dynamic) nowait
    for (Index o = 0; o < p.out_channels(); ++o)
      for (Index c = 0; c < p.in_channels(); ++c)
        for (Index tap = 0; tap < kernel * kernel; ++tap) {
          const WatchedSum sum = weight_gradient(p, o, c, tap / kernel, tap % kernel);
          out.weight_gradient.data()[o * p.depth() + c * kernel * kernel + tap] = sum.value;
          weight_sums = std::max(weight_sums, sum.extent());
        }
#pragma omp for
    for (Index o = 0; o < p.out_channels(); ++o) {
      WatchedSum sum;
      for (Index b = 0; b < p.batch(); ++b)
        for (Index i = 0; i < p.pixels(); ++i) sum.add(static_cast<double>(p.gradient_of(b, o)[i]));
      out.bias_gradient.data()[o] = sum.value;
      bias_sums = std::max(bias_sums, sum.extent());
    }
  }
  out.input_sums = input_sums;
  out.weight_sums = weight_sums;
  out.bias_sums = bias_sums;
  return out;
}

}  // namespace attention::convolutional
