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

/// Floats: in a long run, what comes so much later is asked for. Whatever else is done with each line makes the processor's own look-ahead
/// fall back.
inline constexpr Index asked_ahead = 1024;

/// Asks for a block of map_sum_block floats.
[[gnu::always_inline]] inline void ask(const float* x) {
  simd::unrolled<4>([&](auto v) __attribute__((always_inline)) { __builtin_prefetch(x + v * simd::lanes, 0, 2); });
}

/// Asks for the block that far behind x.
[[gnu::always_inline]] inline void ask_ahead(const float* x) { ask(x + asked_ahead); }

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

/// Σ x, block after block of map_sum_block floats, then what is left.
class MapSum {
 public:
  [[gnu::always_inline]] void block(const float* x) {
    simd::unrolled<4>([&](auto v) __attribute__((always_inline)) { sum_[v] += simd::load(x + v * simd::lanes); });
  }
  /// The sum, once the floats i … n − 1 that no block held are added.
  float finish(const float* x, Index i, Index n) {
    for (; i + map_sum_block <= n; i += map_sum_block) block(x + i);
    for (; i + simd::lanes <= n; i += simd::lanes) sum_[0] += simd::load(x + i);
    if (i < n) sum_[1] += load_some(x + i, n - i);
    return simd::sum((sum_[0] + sum_[1]) + (sum_[2] + sum_[3]));
  }

 private:
  simd::Float sum_[4] = {};
};

/// Σ x.
inline float map_sum(const float* x, Index n) { return MapSum().finish(x, 0, n); }

struct SumAndMaximum {
  float sum;
  float maximum;
};

/// Σ x and max x in one pass, in the same manner. A NaN makes the sum NaN; the maximum passes over it.
class MapSumAndMaximum {
 public:
  MapSumAndMaximum() { simd::unrolled<4>([&](auto v) { largest_[v] = simd::broadcast(lowest); }); }

  [[gnu::always_inline]] void block(const float* x) {
    simd::unrolled<4>([&](auto v) __attribute__((always_inline)) { both(v, simd::load(x + v * simd::lanes)); });
  }
  SumAndMaximum finish(const float* x, Index i, Index n) {
    for (; i + map_sum_block <= n; i += map_sum_block) block(x + i);
    for (; i + simd::lanes <= n; i += simd::lanes) both(0, simd::load(x + i));
    if (i < n) {
      sum_[1] += load_some(x + i, n - i);
      largest_[1] = simd::max(load_some(x + i, n - i, lowest), largest_[1]);
    }
    return {simd::sum((sum_[0] + sum_[1]) + (sum_[2] + sum_[3])),
            simd::maximum(simd::max(simd::max(largest_[0], largest_[1]), simd::max(largest_[2], largest_[3])))};
  }

 private:
  static constexpr float lowest = -std::numeric_limits<float>::infinity();
  [[gnu::always_inline]] void both(int slot, simd::Float v) {
    sum_[slot] += v;
    largest_[slot] = simd::max(v, largest_[slot]);
  }

  simd::Float sum_[4] = {};
  simd::Float largest_[4];
};

inline SumAndMaximum map_sum_and_maximum(const float* x, Index n) { return MapSumAndMaximum().finish(x, 0, n); }

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
