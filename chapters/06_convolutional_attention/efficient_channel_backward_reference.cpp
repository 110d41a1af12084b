#include <algorithm>
#include <cmath>
#include <vector>

#include "efficient_channel_backward.hpp"

namespace attention::convolutional {

namespace {

using Reference = EfficientChannelBackwardReference;

double wide(float x) { return static_cast<double>(x); }

/// One number a channel; 0 beyond the channels.
double of_channel(const double* numbers, Index c, Index channels) { return c >= 0 && c < channels ? numbers[c] : 0; }

/// da of image b, and its part of `out.input`.
void one_image(const EfficientChannelBackwardProblem& p, const double* gate, Index b, double* da, Reference& out) {
  const Index channels = p.channels();
  const Index places = p.places();
  for (Index c = 0; c < channels; ++c) {
    WatchedSum sum;
    for (Index i = 0; i < places; ++i) sum.add(wide(p.gradient_of(b, c)[i]) * wide(p.map_of(b, c)[i]));
    out.gate_sums = std::max(out.gate_sums, sum.extent());
    const double slope = gate[c] * (1 - gate[c]);
    da[c] = sum.value * slope;
    if (std::isfinite(slope)) out.largest_slope = std::max(out.largest_slope, slope);
    if (std::isfinite(da[c])) out.arguments = std::max(out.arguments, std::abs(da[c]));
  }
  for (Index c = 0; c < channels; ++c) {
    WatchedSum sum;
    for (Index j = 0; j < p.kernel(); ++j)
      sum.add(wide(p.weight.data()[j]) * of_channel(da, c - j + p.kernel() / 2, channels));
    out.mean_sums = std::max(out.mean_sums, sum.extent());
    double* to = out.input.data() + (b * channels + c) * places;
    for (Index i = 0; i < places; ++i)
      to[i] = gate[c] * wide(p.gradient_of(b, c)[i]) + sum.value / static_cast<double>(places);
  }
}

}  // namespace

Reference backward_reference(const EfficientChannelBackwardProblem& p, const EfficientChannelKept<double>& kept) {
  Reference out;
  out.input = TensorOf<double, 4>(p.input.shape());
  out.weight = TensorOf<double, 1>(p.weight.shape());
  const Index channels = p.channels();
  std::vector<double> da(static_cast<std::size_t>(p.batch() * channels));
  for (Index b = 0; b < p.batch(); ++b) one_image(p, kept.gate.data() + b * channels, b, da.data() + b * channels, out);
  for (Index j = 0; j < p.kernel(); ++j) {
    WatchedSum sum;
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < channels; ++c)
        sum.add(da[static_cast<std::size_t>(b * channels + c)] *
                of_channel(kept.mean.data() + b * channels, c + j - p.kernel() / 2, channels));
    out.weight.data()[j] = sum.value;
    out.weight_sums = std::max(out.weight_sums, sum.extent());
  }
  return out;
}

Reference backward_reference(const EfficientChannelBackwardProblem& p) {
  return backward_reference(p, {widened(p.kept.mean), widened(p.kept.gate)});
}

}  // namespace attention::convolutional
