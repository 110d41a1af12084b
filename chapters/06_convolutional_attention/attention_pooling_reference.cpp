#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "attention_pooling.hpp"

namespace attention::convolutional {

AttentionPoolingReference reference(const AttentionPoolingProblem& p) {
  const auto& shape = p.input.shape();
  AttentionPoolingReference out;
  out.output = tensor::empty<2, double>({shape[0], shape[1]});
  out.weights = tensor::empty<3, double>({shape[0], shape[2], shape[3]});
  const Index channels = p.channels();
  const Index places = p.places();
  double score_sums = 0;
  double scores = 0;
  double concentration = 0;
  double output_sums = 0;
#pragma omp parallel for reduction(max : score_sums, scores, concentration, output_sums)
  for (Index b = 0; b < p.batch(); ++b) {
    double* weight = out.weights_of(b);
    double largest = -std::numeric_limits<double>::infinity();
    for (Index i = 0; i < places; ++i) {
      WatchedSum sum;
      for (Index c = 0; c < channels; ++c) sum.add(static_cast<double>(p.weight.data()[c]) * static_cast<double>(p.map_of(b, c)[i]));
      weight[i] = sum.value;
      largest = std::max(largest, sum.value);
      score_sums = std::max(score_sums, sum.extent());
    }
    double total = 0;
    for (Index i = 0; i < places; ++i) {
      if (std::isfinite(weight[i] - largest)) scores = std::max(scores, largest - weight[i]);
      weight[i] = std::exp(weight[i] - largest);
      total += weight[i];
    }
    double squares = 0;
    for (Index i = 0; i < places; ++i) {
      weight[i] /= total;
      squares += weight[i] * weight[i];
    }
    if (std::isfinite(squares)) concentration = std::max(concentration, std::sqrt(squares));
    for (Index c = 0; c < channels; ++c) {
      WatchedSum sum;
      for (Index i = 0; i < places; ++i) sum.add(weight[i] * static_cast<double>(p.map_of(b, c)[i]));
      out.output_of(b)[c] = sum.value;
      output_sums = std::max(output_sums, sum.extent());
    }
  }
  out.score_sums = score_sums;
  out.scores = scores;
  out.concentration = concentration;
  out.output_sums = output_sums;
  return out;
}

}  // namespace attention::convolutional
