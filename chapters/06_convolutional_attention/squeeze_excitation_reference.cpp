#include <algorithm>

#include "squeeze_excitation.hpp"

namespace attention::convolutional {

SqueezeExcitationReference reference(const SqueezeExcitationProblem& p) {
  const auto& shape = p.input.shape();
  SqueezeExcitationReference out;
  out.output = tensor::empty<4, double>({shape[0], shape[1], shape[2], shape[3]});
  out.gate = tensor::empty<2, double>({shape[0], shape[1]});
  out.mean = tensor::empty<2, double>({shape[0], shape[1]});
  out.hidden = tensor::empty<2, double>({shape[0], p.reduce_weight.shape()[0]});
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  const Index places = p.places();
  double pool_sums = 0;
  double hidden_sums = 0;
  double gate_sums = 0;
  double largest_slope = 0;
#pragma omp parallel for reduction(max : pool_sums, hidden_sums, gate_sums, largest_slope)
  for (Index b = 0; b < p.batch(); ++b) {
    double* mean = out.mean.data() + b * channels;
    for (Index c = 0; c < channels; ++c) {
      WatchedSum sum;
      for (Index i = 0; i < places; ++i) sum.add(static_cast<double>(p.map_of(b, c)[i]));
      mean[c] = sum.value / static_cast<double>(places);
      pool_sums = std::max(pool_sums, sum.extent());
    }
    double* unit = out.hidden.data() + b * hidden;
    for (Index j = 0; j < hidden; ++j) {
      WatchedSum sum;
      for (Index c = 0; c < channels; ++c)
        sum.add(static_cast<double>(p.reduce_weight.data()[j * channels + c]) * mean[c]);
      sum.add(static_cast<double>(p.reduce_bias.data()[j]));
      unit[j] = relu(sum.value);
      hidden_sums = std::max(hidden_sums, sum.extent());
    }
    for (Index c = 0; c < channels; ++c) {
      WatchedSum sum;
      for (Index j = 0; j < hidden; ++j)
        sum.add(static_cast<double>(p.expand_weight.data()[c * hidden + j]) * unit[j]);
      sum.add(static_cast<double>(p.expand_bias.data()[c]));
      gate_sums = std::max(gate_sums, sum.extent());
      const double gate = sigmoid(sum.value);
      if (gate == gate) largest_slope = std::max(largest_slope, gate * (1 - gate));
      out.gate_of(b)[c] = gate;
      for (Index i = 0; i < places; ++i) out.map_of(b, c)[i] = gate * static_cast<double>(p.map_of(b, c)[i]);
    }
  }
  out.pool_sums = pool_sums;
  out.hidden_sums = hidden_sums;
  out.gate_sums = gate_sums;
  out.largest_slope = largest_slope;
  return out;
}

}  // namespace attention::convolutional
