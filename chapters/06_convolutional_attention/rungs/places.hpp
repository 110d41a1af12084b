#pragma once

#include <algorithm>
#include <limits>

#include "rungs/map.hpp"
#include "rungs/reciprocal.hpp"
#include "simd/exp2.hpp"

/// What is done with the places of an image, side by side in the lanes. A place's result is the same whatever stands beside it.
namespace attention::convolutional {

/// Vectors of places that are in registers together: the channels of so many places are read as whole runs of cache lines.
inline constexpr int place_vectors = 8;

/// Calls body(at, count, vectors) over n places: tiles of place_vectors vectors, then single vectors, then what is left of one
/// (count < lanes). `vectors` is an integral constant.
template <class Body>
[[gnu::always_inline]] inline void for_places(Index n, Body body) {
  Index at = 0;
  for (; at + place_vectors * simd::lanes <= n; at += place_vectors * simd::lanes)
    body(at, std::integral_constant<Index, simd::lanes>{}, std::integral_constant<int, place_vectors>{});
  for (; at < n; at += simd::lanes) body(at, std::min<Index>(simd::lanes, n - at), std::integral_constant<int, 1>{});
}

/// A whole vector, or the first `count` floats of one.
[[gnu::always_inline]] inline simd::Float load_up_to(const float* from, Index count) {
  return count == simd::lanes ? simd::load(from) : load_some(from, count);
}
[[gnu::always_inline]] inline void store_up_to(float* to, simd::Float value, Index count) {
  if (count == simd::lanes) return simd::store(to, value);
#if defined(__AVX512F__)
  return _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1), value);
#endif
  float whole[simd::lanes];
  simd::store(whole, value);
  std::copy_n(whole, count, to);
}

/// Of gate_c · x_c, for each of the places first … last of an image: mean and maximum over the channels. A NaN makes the mean
/// NaN; the maximum passes over it.
inline void weighted_mean_and_maximum(const float* image, Index places, Index channels, Index first, Index last, const float* gate,
                                      float* mean, float* largest) {
  const simd::Float share = simd::broadcast(1 / static_cast<float>(channels));
  for_places(last - first, [&](Index at, auto count, auto vectors) __attribute__((always_inline)) {
    constexpr int many = decltype(vectors)::value;
    simd::Float sum[many] = {};
    simd::Float most[many];
    simd::unrolled<many>([&](auto v) { most[v] = simd::broadcast(-std::numeric_limits<float>::infinity()); });
    const float* from = image + first + at;
    for (Index c = 0; c < channels; ++c, from += places) {
      const simd::Float g = simd::broadcast(gate[c]);
      simd::unrolled<many>([&](auto v) {
        const simd::Float x = g * load_up_to(from + v * simd::lanes, count);
        sum[v] += x;
        most[v] = simd::max(x, most[v]);
      });
    }
    simd::unrolled<many>([&](auto v) {
      store_up_to(mean + at + v * simd::lanes, sum[v] * share, count);
      store_up_to(largest + at + v * simd::lanes, most[v], count);
    });
  });
}

/// Nothing that is done meanwhile.
struct Idle {
  [[gnu::always_inline]] void operator()(Index) const {}
};

/// to_i = value(i, count) for n places, past the caches but for what is not a whole aligned vector: value gives the vector of `count`
/// places from i on. After each block of map_sum_block places meanwhile(i) is called, i = 0 for the first block, then a block further
/// each time; returns the i that would come next.
template <class Value, class Meanwhile>
[[gnu::always_inline]] inline Index stream_places(Index n, float* to, Value value, Meanwhile meanwhile) {
  const Index head = std::min<Index>(until_aligned(to), n);
  if (head > 0) store_up_to(to, value(0, head), head);
  Index i = head;
  for (; i + map_sum_block <= n; i += map_sum_block) {
    simd::unrolled<4>([&](auto v) __attribute__((always_inline)) { stream(to + i + v * simd::lanes, value(i + v * simd::lanes, simd::lanes)); });
    meanwhile(i - head);
  }
  const Index next = i - head;
  for (; i + simd::lanes <= n; i += simd::lanes) stream(to + i, value(i, simd::lanes));
  if (i < n) store_up_to(to + i, value(i, n - i), n - i);
  return next;
}
template <class Value>
[[gnu::always_inline]] inline void stream_places(Index n, float* to, Value value) {
  stream_places(n, to, value, Idle());
}

/// `Units` outputs of a convolution of 1 × 1 at `Vectors` vectors of places, of which each has `count` floats: see mix_channels.
template <int Units, int Vectors>
[[gnu::always_inline]] inline void mix_tile(const float* maps, Index stride, Index count, Index channels, const float* weight,
                                            const float* bias, float* to, Index to_stride) {
  simd::Float sum[Units][Vectors];
  simd::unrolled<Units>([&](auto j) __attribute__((always_inline)) {
    simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) { sum[j][v] = simd::broadcast(bias[j]); });
  });
  for (Index c = 0; c < channels; ++c, maps += stride) {
    simd::Float x[Vectors];
    simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) { x[v] = load_up_to(maps + v * simd::lanes, count); });
    simd::unrolled<Units>([&](auto j) __attribute__((always_inline)) {
      const simd::Float w = simd::broadcast(weight[j * channels + c]);
      simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) { sum[j][v] += w * x[v]; });
    });
  }
  simd::unrolled<Units>([&](auto j) __attribute__((always_inline)) {
    simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
      store_up_to(to + j * to_stride + v * simd::lanes, sum[j][v], count);
    });
  });
}

/// A convolution of 1 × 1: to_j = bias_j + Σ_c weight_jc · x_c for `units` outputs, at each of `places` places. From map to map there
/// are `stride` floats, from output to output `to_stride`. Four outputs of 64 places are in registers together: sixteen chains.
inline void mix_channels(const float* maps, Index stride, Index places, Index channels, const float* weight, const float* bias,
                         Index units, float* to, Index to_stride) {
  const auto all_units = [&](Index at, auto count, auto vectors) __attribute__((always_inline)) {
    constexpr int many = decltype(vectors)::value;
    Index j = 0;
    for (; j + 4 <= units; j += 4)
      mix_tile<4, many>(maps + at, stride, count, channels, weight + j * channels, bias + j, to + j * to_stride + at, to_stride);
    for (; j < units; ++j)
      mix_tile<1, many>(maps + at, stride, count, channels, weight + j * channels, bias + j, to + j * to_stride + at, to_stride);
  };
  constexpr std::integral_constant<Index, simd::lanes> whole;
  Index at = 0;
  for (; at + 4 * simd::lanes <= places; at += 4 * simd::lanes) all_units(at, whole, std::integral_constant<int, 4>{});
  for (; at + simd::lanes <= places; at += simd::lanes) all_units(at, whole, std::integral_constant<int, 1>{});
  if (at < places) all_units(at, places - at, std::integral_constant<int, 1>{});
}

/// 1/(1 + e^−z), lane by lane; 0 below −88, where e^−z is no longer a float32.
[[gnu::always_inline]] inline simd::Float sigmoid(simd::Float z) {
  const simd::Float lowest = simd::broadcast(-88.F);
  const simd::Float one = simd::broadcast(1.F);
  const simd::Float s = reciprocal(one + simd::exp(-simd::max(lowest, z)));
  return z < lowest ? simd::Float{} : s;
}

inline void sigmoid_row(const float* z, Index n, float* to) {
  for (Index i = 0; i < n; i += simd::lanes) {
    const Index count = std::min<Index>(simd::lanes, n - i);
    store_up_to(to + i, sigmoid(load_up_to(z + i, count)), count);
  }
}

/// to = factor · place_factor · x for n places of a map. With `past_caches` the output goes to memory directly, as far as it is
/// aligned.
template <bool past_caches>
inline void scale_places(const float* x, Index n, float factor, const float* place_factor, float* to) {
  Index i = 0;
  if constexpr (past_caches) {
    for (; i < n && !may_stream(to + i); ++i) to[i] = factor * place_factor[i] * x[i];
    const simd::Float f = simd::broadcast(factor);
    for (; i + simd::lanes <= n; i += simd::lanes) stream(to + i, f * simd::load(place_factor + i) * simd::load(x + i));
  }
#pragma omp simd
  for (Index j = i; j < n; ++j) to[j] = factor * place_factor[j] * x[j];
}

}  // namespace attention::convolutional
