#include <algorithm>
#include <cmath>
#include <vector>

#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

namespace {

using Reference = SqueezeExcitationBackwardReference;

/// Keeps the largest of what a sum became, and gives the sum.
double watched(const WatchedSum& sum, double& largest) {
  largest = std::max(largest, sum.extent());
  return sum.value;
}

double wide(float x) { return static_cast<double>(x); }

/// da and dh of image b, and its part of `out.input`.
void one_image(const SqueezeExcitationBackwardProblem& p, const SqueezeExcitationKept<double>& kept, Index b,
               double* da, double* dh, Reference& out) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  const Index places = p.places();
  const double* gate = kept.gate.data() + b * channels;
  for (Index c = 0; c < channels; ++c) {
    WatchedSum sum;
    for (Index i = 0; i < places; ++i) sum.add(wide(p.gradient_of(b, c)[i]) * wide(p.map_of(b, c)[i]));
    const double slope = gate[c] * (1 - gate[c]);
    da[c] = watched(sum, out.gate_sums) * slope;
    if (std::isfinite(slope)) out.largest_slope = std::max(out.largest_slope, slope);
    if (std::isfinite(da[c])) out.arguments = std::max(out.arguments, std::abs(da[c]));
  }
  for (Index j = 0; j < hidden; ++j) {
    WatchedSum sum;
    for (Index c = 0; c < channels; ++c) sum.add(wide(p.expand_weight.data()[c * hidden + j]) * da[c]);
    dh[j] = kept.hidden.data()[b * hidden + j] <= 0 ? 0 : watched(sum, out.hidden_sums);
  }
  for (Index c = 0; c < channels; ++c) {
    WatchedSum sum;
    for (Index j = 0; j < hidden; ++j) sum.add(wide(p.reduce_weight.data()[j * channels + c]) * dh[j]);
    const double shift = watched(sum, out.mean_sums) / static_cast<double>(places);
    double* to = out.input.data() + (b * channels + c) * places;
    for (Index i = 0; i < places; ++i) to[i] = gate[c] * wide(p.gradient_of(b, c)[i]) + shift;
  }
}

}  // namespace

Reference backward_reference(const SqueezeExcitationBackwardProblem& p, const SqueezeExcitationKept<double>& kept) {
  Reference out;
  out.input = TensorOf<double, 4>(p.input.shape());
  out.reduce_weight = TensorOf<double, 2>(p.reduce_weight.shape());
  out.reduce_bias = TensorOf<double, 1>(p.reduce_bias.shape());
  out.expand_weight = TensorOf<double, 2>(p.expand_weight.shape());
  out.expand_bias = TensorOf<double, 1>(p.expand_bias.shape());
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  std::vector<double> da(static_cast<std::size_t>(p.batch() * channels));
  std::vector<double> dh(static_cast<std::size_t>(p.batch() * hidden));
  for (Index b = 0; b < p.batch(); ++b) one_image(p, kept, b, da.data() + b * channels, dh.data() + b * hidden, out);

  // A sum over the images of rows · columns, and of the rows alone.
  const auto weights = [&p](const std::vector<double>& rows, Index row_count, const double* columns, Index column_count,
                            double* to, double& sums, double* bias, double& bias_sums) {
    for (Index r = 0; r < row_count; ++r) {
      WatchedSum alone;
      for (Index b = 0; b < p.batch(); ++b) alone.add(rows[static_cast<std::size_t>(b * row_count + r)]);
      bias[r] = watched(alone, bias_sums);
      for (Index c = 0; c < column_count; ++c) {
        WatchedSum sum;
        for (Index b = 0; b < p.batch(); ++b)
          sum.add(rows[static_cast<std::size_t>(b * row_count + r)] * columns[b * column_count + c]);
        to[r * column_count + c] = watched(sum, sums);
      }
    }
  };
  weights(da, channels, kept.hidden.data(), hidden, out.expand_weight.data(), out.expand_weight_sums,
          out.expand_bias.data(), out.expand_bias_sums);
  weights(dh, hidden, kept.mean.data(), channels, out.reduce_weight.data(), out.reduce_weight_sums,
          out.reduce_bias.data(), out.reduce_bias_sums);
  return out;
}

Reference backward_reference(const SqueezeExcitationBackwardProblem& p) {
  return backward_reference(p, {widened(p.kept.mean), widened(p.kept.hidden), widened(p.kept.gate)});
}

}  // namespace attention::convolutional
