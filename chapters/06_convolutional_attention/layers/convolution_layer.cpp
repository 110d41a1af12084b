#include "layers/convolution_layer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "layers/convolution_paths.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

std::vector<Index> ConvolutionLayer::output_shape() const {
  std::vector<Index> shape{batch, out_channels};
  const std::vector<Index> spatial = window.output_shape();
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  return shape;
}

ConvolutionLayer convolution_layer(std::span<const Index> input, std::span<const Index> weight, WindowAttributes attributes, Index groups) {
  using program::UserError;
  if (input.size() < 3 || input.size() > 2 + window_axes)
    throw UserError(fmt::format("a convolution of an input of {} dimensions, expected 3 to {}", input.size(), 2 + window_axes));
  if (weight.size() != input.size())
    throw UserError(fmt::format("the input has {} dimensions, the weights have {}", input.size(), weight.size()));
  checked_size(input, "the input");
  checked_size(weight, "the weights");
  const std::vector<Index> kernel(weight.begin() + 2, weight.end());
  if (attributes.kernel.empty()) attributes.kernel = kernel;
  if (attributes.kernel != kernel)
    throw UserError(fmt::format("kernel_shape is ({}), but the weights' is ({})", fmt::join(attributes.kernel, ", "), fmt::join(kernel, ", ")));
  if (groups < 1 || input[1] % groups != 0 || weight[0] % groups != 0 || input[1] / groups != weight[1])
    throw UserError(fmt::format("{} groups do not fit: the input has {} channels, the weights take {} and give {}", groups, input[1], weight[1], weight[0]));
  ConvolutionLayer layer{input[0], input[1], weight[0], groups, window_over(input.subspan(2), attributes)};
  checked_size(layer.output_shape(), "the output");
  return layer;
}

void convolve(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output) {
  // Deeper than any network's: a panel of such patches would fill the memory.
  constexpr Index deepest = 1 << 18;
  const Index outputs = layer.window.outputs();
  if (layer.depth() == 0 || layer.depth() > deepest) {
    std::ranges::transform(convolve_plain(layer, input, weight, bias), output, [](double x) { return static_cast<float>(x); });
    return;
  }
  const bool finite = std::all_of(weight, weight + layer.out_channels * layer.depth(), [](float x) { return std::isfinite(x); });
  if (layer.batch * layer.out_channels * outputs == 0) return;
  if (layer.group_in() == 1 && finite)
    convolve_by_taps(layer, input, weight, bias, output);
  else
    convolve_by_patches(layer, input, weight, bias, output);
}

std::vector<double> convolve_plain(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, double* sums) {
  const Window& w = layer.window;
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  std::vector<double> output(static_cast<std::size_t>(layer.batch * layer.out_channels * w.outputs()));
  double largest = 0;
#pragma omp parallel for collapse(2) reduction(max : largest)
  for (Index b = 0; b < layer.batch; ++b)
    for (Index o = 0; o < layer.out_channels; ++o) {
      const float* image = input + (b * layer.in_channels + o / layer.group_out() * layer.group_in()) * w.inputs();
      double* to = output.data() + (b * layer.out_channels + o) * w.outputs();
      for (Index oz = 0; oz < z.output; ++oz)
        for (Index oy = 0; oy < y.output; ++oy)
          for (Index ox = 0; ox < x.output; ++ox) {
            double sum = bias ? static_cast<double>(bias[o]) : 0;
            double squares = sum * sum;
            double most = std::abs(sum);
            const float* tap = weight + o * layer.depth();
            for (Index c = 0; c < layer.group_in(); ++c)
              for (Index tz = 0; tz < z.kernel; ++tz)
                for (Index ty = 0; ty < y.kernel; ++ty)
                  for (Index tx = 0; tx < x.kernel; ++tx) {
                    const Index iz = z.at(oz, tz);
                    const Index iy = y.at(oy, ty);
                    const Index ix = x.at(ox, tx);
                    const bool inside = iz >= 0 && iz < z.input && iy >= 0 && iy < y.input && ix >= 0 && ix < x.input;
                    const double value = inside ? static_cast<double>(image[((c * z.input + iz) * y.input + iy) * x.input + ix]) : 0;
                    const double term = static_cast<double>(*tap++) * value;
                    sum += term;
                    squares += term * term;
                    most = std::max(most, std::abs(sum));
                  }
            *to++ = sum;
            // NaN and infinity say nothing of rounding.
            most = std::max(most, std::sqrt(squares));
            if (std::isfinite(most)) largest = std::max(largest, most);
          }
    }
  if (sums) *sums = largest;
  return output;
}

}  // namespace attention::convolutional
