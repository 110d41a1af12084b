#include <algorithm>

#include "efficient_channel.hpp"

namespace attention::convolutional {

EfficientChannelReference reference(const EfficientChannelProblem& p) {
  const auto& shape = p.input.shape();
  EfficientChannelReference out;
  out.output = tensor::empty<4, double>({shape[0], shape[1], shape[2], shape[3]});
  out.gate = tensor::empty<2, double>({shape[0], shape[1]});
  out.mean = tensor::empty<2, double>({shape[0], shape[1]});
  const Index channels = p.channels();
  const Index places = p.places();
  double pool_sums = 0;
  double gate_sums = 0;
  double largest_slope = 0;
#pragma omp parallel for reduction(max : pool_sums, gate_sums, largest_slope)
  for (Index b = 0; b < p.batch(); ++b) {
    double* mean = out.mean.data() + b * channels;
    for (Index c = 0; c < channels; ++c) {
      WatchedSum sum;
      for (Index i = 0; i < places; ++i) sum.add(static_cast<double>(p.map_of(b, c)[i]));
      mean[c] = sum.value / static_cast<double>(places);
      pool_sums = std::max(pool_sums, sum.extent());
    }
    for (Index c = 0; c < channels; ++c) {
      WatchedSum sum;
      for (Index j = 0; j < p.kernel(); ++j) {
        const Index neighbour = c + j - p.kernel() / 2;
        const bool inside = neighbour >= 0 && neighbour < channels;
        sum.add(static_cast<double>(p.weight.data()[j]) * (inside ? mean[neighbour] : 0));
      }
      gate_sums = std::max(gate_sums, sum.extent());
      const double gate = sigmoid(sum.value);
      if (gate == gate) largest_slope = std::max(largest_slope, gate * (1 - gate));
      out.gate_of(b)[c] = gate;
      for (Index i = 0; i < places; ++i) out.map_of(b, c)[i] = gate * static_cast<double>(p.map_of(b, c)[i]);
    }
  }
  out.pool_sums = pool_sums;
  out.gate_sums = gate_sums;
  out.largest_slope = largest_slope;
  return out;
}

}  // namespace attention::convolutional
