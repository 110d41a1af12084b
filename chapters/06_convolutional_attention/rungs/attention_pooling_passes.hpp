#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention_pooling.hpp"

/// Attention pooling in plain loops: what the rungs "loops" and "openmp" do with each image.
namespace attention::convolutional {

/// The scores of one image, channel by channel, places side by side.
inline void plain_scores(const AttentionPoolingProblem& p, Index b, float* score) {
  std::fill_n(score, p.places(), 0.F);
  for (Index c = 0; c < p.channels(); ++c)
    for (Index i = 0; i < p.places(); ++i) score[i] += p.weight.data()[c] * p.map_of(b, c)[i];
}

/// Scores become weights.
inline void plain_softmax(float* score, Index places) {
  float largest = -std::numeric_limits<float>::infinity();
  for (Index i = 0; i < places; ++i) largest = std::max(largest, score[i]);
  float total = 0;
  for (Index i = 0; i < places; ++i) {
    score[i] = std::exp(score[i] - largest);
    total += score[i];
  }
  for (Index i = 0; i < places; ++i) score[i] /= total;
}

/// One output: a chain of additions over the places.
inline float plain_mean(const float* weight, const float* x, Index places) {
  float sum = 0;
  for (Index i = 0; i < places; ++i) sum += weight[i] * x[i];
  return sum;
}

/// All scores, all weights, all outputs: the maps pass through memory twice.
inline void pool_in_passes(const AttentionPoolingProblem& p, AttentionPoolingOutput& out, bool parallel) {
  prepare(p, out);
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      plain_scores(p, b, out.weights_of(b));
      plain_softmax(out.weights_of(b), p.places());
    }
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < p.channels(); ++c) out.output_of(b)[c] = plain_mean(out.weights_of(b), p.map_of(b, c), p.places());
  }
}

}  // namespace attention::convolutional
