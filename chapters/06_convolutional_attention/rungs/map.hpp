#pragma once

#include <algorithm>
#include <limits>

#include "rungs/streaming_store.hpp"
#include "simd/vector.hpp"
#include "tensor/tensor.hpp"

/// What is done with one map, or with a row of numbers, by vectors. The result depends on the numbers and their count alone.
namespace attention::convolutional {

using tensor::Index;

/// Partial sums of map_sum: four vectors, so that four additions are under way while one waits for the last.
inline constexpr Index map_sum_block = 4 * simd::lanes;

/// The first `count` floats from there, in a vector filled up with `fill`; count < lanes.
[[gnu::always_inline]] inline simd::Float load_some(const float* from, Index count, float fill = 0) {
#if defined(__AVX512F__)
  // What the mask leaves out is not touched. One instruction; a copy of unknown length is a call.
  return _mm512_mask_loadu_ps(simd::broadcast(fill), static_cast<__mmask16>((1U << count) - 1), from);
#endif
  float whole[simd::lanes];
  std::fill(whole, whole + simd::lanes, fill);
  std::copy_n(from, count, whole);
  return simd::load(whole);
}

/// Σ x.
inline float map_sum(const float* x, Index n) {
  simd::Float sum[4] = {};
  Index i = 0;
  for (; i + map_sum_block <= n; i += map_sum_block)
    simd::unrolled<4>([&](auto v) { sum[v] += simd::load(x + i + v * simd::lanes); });
  for (; i + simd::lanes <= n; i += simd::lanes) sum[0] += simd::load(x + i);
  if (i < n) sum[1] += load_some(x + i, n - i);
  return simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// Σ x and max x in one pass. A NaN makes the sum NaN; the maximum passes over it.
struct SumAndMaximum {
  float sum;
  float maximum;
};
inline SumAndMaximum map_sum_and_maximum(const float* x, Index n) {
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  simd::Float sum[4] = {};
  simd::Float largest[4];
  simd::unrolled<4>([&](auto v) { largest[v] = simd::broadcast(lowest); });
  const auto both = [&](int slot, simd::Float v) {
    sum[slot] += v;
    largest[slot] = simd::max(v, largest[slot]);
  };
  Index i = 0;
  for (; i + map_sum_block <= n; i += map_sum_block)
    simd::unrolled<4>([&](auto v) { both(v, simd::load(x + i + v * simd::lanes)); });
  for (; i + simd::lanes <= n; i += simd::lanes) both(0, simd::load(x + i));
  if (i < n) {
    sum[1] += load_some(x + i, n - i);
    largest[1] = simd::max(load_some(x + i, n - i, lowest), largest[1]);
  }
  return {simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3])),
          simd::maximum(simd::max(simd::max(largest[0], largest[1]), simd::max(largest[2], largest[3])))};
}

/// a · b: a row of a small matrix times a vector.
inline float dot(const float* a, const float* b, Index n) {
  simd::Float sum[4] = {};
  Index i = 0;
  for (; i + map_sum_block <= n; i += map_sum_block)
    simd::unrolled<4>([&](auto v) { sum[v] += simd::load(a + i + v * simd::lanes) * simd::load(b + i + v * simd::lanes); });
  for (; i + simd::lanes <= n; i += simd::lanes) sum[0] += simd::load(a + i) * simd::load(b + i);
  if (i < n) sum[1] += load_some(a + i, n - i) * load_some(b + i, n - i);
  return simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// to = factor · x. With `past_caches` the output goes to memory directly, as far as it is aligned.
template <bool past_caches>
inline void scale_map(const float* x, Index n, float factor, float* to) {
  Index i = 0;
  if constexpr (past_caches) {
    for (; i < n && !may_stream(to + i); ++i) to[i] = factor * x[i];
    const simd::Float f = simd::broadcast(factor);
    for (; i + map_sum_block <= n; i += map_sum_block)
      simd::unrolled<4>([&](auto v) { stream(to + i + v * simd::lanes, f * simd::load(x + i + v * simd::lanes)); });
    for (; i + simd::lanes <= n; i += simd::lanes) stream(to + i, f * simd::load(x + i));
  }
#pragma omp simd
  for (Index j = i; j < n; ++j) to[j] = factor * x[j];
}

}  // namespace attention::convolutional
