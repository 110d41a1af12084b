#pragma once

#include <algorithm>
#include <limits>

#include "attention_pooling.hpp"
#include "rungs/places.hpp"

/// The parts of attention pooling by vectors.
namespace attention::convolutional {

/// Σ_c weight_c x_c at the places first … last of an image [channels, places]. A tile takes 512 bytes of each channel, then those of the
/// next channel, pages away: too short a run for the processor's own look-ahead. So the same bytes of the next tile are asked for while
/// this one is added up.
inline void sums_of_channels(const float* image, Index places, Index channels, const float* weight, Index first, Index last, float* to) {
  image += first;
  for_places(last - first, [&](Index at, auto count, auto vectors) __attribute__((always_inline)) {
    constexpr int many = decltype(vectors)::value;
    simd::Float sum[many] = {};
    constexpr Index tile = many * simd::lanes;
    const bool ask = first + at + 2 * tile <= places;
    const float* from = image + at;
    for (Index c = 0; c < channels; ++c, from += places) {
      const simd::Float w = simd::broadcast(weight[c]);
      if (ask) simd::unrolled<many>([&](auto v) { __builtin_prefetch(from + tile + v * simd::lanes, 0, 2); });
      simd::unrolled<many>([&](auto v) { sum[v] += w * load_up_to(from + v * simd::lanes, count); });
    }
    simd::unrolled<many>([&](auto v) { store_up_to(to + at + v * simd::lanes, sum[v], count); });
  });
}

/// w · x_p for the places first … last of an image.
inline void scores_of_places(const AttentionPoolingProblem& p, Index b, Index first, Index last, float* score) {
  sums_of_channels(p.image_of(b), p.places(), p.channels(), p.weight.data(), first, last, score);
}

/// Largest of n numbers, at least `least`; NaNs are passed over.
inline float largest_of(const float* x, Index n, float least) {
  simd::Float largest = simd::broadcast(least);
  Index i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) largest = simd::max(simd::load(x + i), largest);
  if (i < n) largest = simd::max(load_some(x + i, n - i, least), largest);
  return simd::maximum(largest);
}

/// to = factor · exp(score − subtract); gives the sum.
inline float exponentials(const float* score, Index n, float subtract, float factor, float* to) {
  simd::Float sum[2] = {};
  int turn = 0;
  for (Index i = 0; i < n; i += simd::lanes, turn = 1 - turn) {
    const Index count = std::min<Index>(simd::lanes, n - i);
    const simd::Float s = count == simd::lanes ? simd::load(score + i)
                                               : load_some(score + i, count, -std::numeric_limits<float>::infinity());
    const simd::Float e = simd::broadcast(factor) * simd::exp(s - simd::broadcast(subtract));
    sum[turn] += e;
    store_up_to(to + i, e, count);
  }
  return simd::sum(sum[0] + sum[1]);
}

/// Scores become weights.
inline void vector_softmax(float* score, Index n) {
  const float largest = largest_of(score, n, -std::numeric_limits<float>::infinity());
  const float total = exponentials(score, n, largest, 1, score);
  const float share = 1 / total;
  for (Index i = 0; i < n; ++i) score[i] *= share;
}

}  // namespace attention::convolutional
