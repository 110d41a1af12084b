// Conv: chapter 6's layer, by each of its ways.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "conformance/operators.hpp"
#include "conformance/window_attributes.hpp"
#include "layers/convolution_paths.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"

namespace attention::conformance {

namespace {

using convolutional::ConvolutionLayer;

/// Multiply-adds beyond which the plain loops would take many seconds.
constexpr double most_in_plain_loops = 0x1p32;
/// … and any way would.
constexpr double most = 0x1p42;
/// Terms of a sum beyond which a block of patches is too large.
constexpr Index deepest = 1 << 18;

double largest(const std::vector<float>& numbers) { return numerics::largest_finite(numbers); }

}  // namespace

void run_convolution(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& w = *given.input(1);
  const CaseTensor* b = given.input(2);
  const CaseTensor& y = *given.output(0);
  require_float(x);
  require_same_dtype(w, x);
  if (b) require_same_dtype(*b, x);
  require_same_dtype(y, x);
  spatial_of(x);
  const Attributes attributes(given.attributes);
  const ConvolutionLayer layer =
      convolutional::convolution_layer(x.shape(), w.shape(), window_attributes(attributes), attributes.integer("group", 1, 1, INT32_MAX));
  if (b) require_shape(*b, {layer.out_channels});
  require_shape(y, layer.output_shape());
  const double products = static_cast<double>(y.size()) * static_cast<double>(layer.depth());
  if (products > most) throw program::UserError(fmt::format("{} takes {:.2g} multiply-adds, which are too many", as_text(y.shape()), products));

  const std::vector<float> input = x.as_float();
  const std::vector<float> weight = w.as_float();
  const std::vector<float> bias = b ? b->as_float() : std::vector<float>();
  const float* added = b ? bias.data() : nullptr;
  const auto depth = static_cast<double>(layer.depth());
  std::vector<float> output(static_cast<std::size_t>(y.size()));
  // The expected numbers are sums in float32, too: what rounding explains is allowed in every rung.
  double sums = std::sqrt(depth) * largest(input) * largest(weight) + largest(bias);
  const auto check = [&](const char* rung) { report.check(rung, y, output, 2 * sums * numerics::sum_error(depth)); };
  if (products <= most_in_plain_loops || layer.depth() > deepest) {
    const std::vector<double> exact = convolutional::convolve_plain(layer, input.data(), weight.data(), added, &sums);
    std::ranges::transform(exact, output.begin(), [](double value) { return static_cast<float>(value); });
    check("plain");
  }
  if (layer.depth() == 0 || layer.depth() > deepest || output.empty()) return;
  convolutional::convolve_by_patches(layer, input.data(), weight.data(), added, output.data());
  check("patches");
  if (layer.group_in() != 1 || !std::ranges::all_of(weight, [](float value) { return std::isfinite(value); })) return;
  convolutional::convolve_by_taps(layer, input.data(), weight.data(), added, output.data());
  check("taps");
}

}  // namespace attention::conformance
