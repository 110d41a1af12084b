#pragma once

#include <type_traits>

#include "rungs/places.hpp"

/// Two answers from one read of some maps: their sums, and a convolution of 1 × 1 over them.
namespace attention::convolutional {

namespace detail {

/// `Channels` maps, `Units` outputs: sum[c] = Σ x_c, where `summed`; mixed_j += Σ_c weight_jc · x_c. What `next` points to is asked
/// for meanwhile, a line for a line.
template <int Channels, int Units, bool summed>
inline void sum_and_mix_group(const float* x, const float* next, Index stride, Index n, const float* weight, Index weight_stride,
                              float* sum, float* mixed, Index mixed_stride) {
  simd::Float total[Channels] = {};
  const auto at_places = [&](Index at, auto count) __attribute__((always_inline)) {
    simd::Float v[Channels];
    simd::unrolled<Channels>([&](auto c) __attribute__((always_inline)) {
      v[c] = load_up_to(x + c * stride + at, count);
      if constexpr (summed) {
        total[c] += v[c];
        __builtin_prefetch(next + c * stride + at, 0, 2);
      }
    });
    simd::unrolled<Units>([&](auto j) __attribute__((always_inline)) {
      float* to = mixed + j * mixed_stride + at;
      simd::Float m = simd::load(to);
      simd::unrolled<Channels>([&](auto c) __attribute__((always_inline)) {
        m += simd::broadcast(weight[j * weight_stride + c]) * v[c];
      });
      simd::store(to, m);
    });
  };
  Index at = 0;
  for (; at + simd::lanes <= n; at += simd::lanes) at_places(at, std::integral_constant<Index, simd::lanes>{});
  if (at < n) at_places(at, n - at);
  if constexpr (summed)
    for (int c = 0; c < Channels; ++c) sum[c] = simd::sum(total[c]);
}

/// The same for all outputs, four at a time. The first four bring the sums.
template <int Channels>
inline void sum_and_mix_units(const float* x, const float* next, Index stride, Index n, const float* weight, Index weight_stride,
                              Index units, float* sum, float* mixed, Index mixed_stride) {
  Index j = 0;
  const auto group = [&](auto kernel) {
    kernel(x, next, stride, n, weight + j * weight_stride, weight_stride, sum, mixed + j * mixed_stride, mixed_stride);
  };
  for (; j + 4 <= units; j += 4)
    j == 0 ? group(sum_and_mix_group<Channels, 4, true>) : group(sum_and_mix_group<Channels, 4, false>);
  for (; j < units; ++j)
    j == 0 ? group(sum_and_mix_group<Channels, 1, true>) : group(sum_and_mix_group<Channels, 1, false>);
}

}  // namespace detail

/// Of n places of `channels` maps, `stride` floats from map to map: sum[c] = Σ x_c, and mixed_j = bias_j + Σ_c weight_jc · x_c
/// for `units` outputs, `mixed_stride` floats from one to the next (whole vectors are written: a multiple of the lanes, at least n).
/// Eight maps pass at a time, side by side: eight multiply-adds for each output that is loaded and stored. Each of the eight runs of
/// neighbouring lines is short, over when the processor has found it: so the next eight maps are asked for meanwhile.
inline void sum_and_mix(const float* x, Index stride, Index n, Index channels, const float* weight, const float* bias, Index units,
                        float* sum, float* mixed, Index mixed_stride) {
  for (Index j = 0; j < units; ++j) std::fill_n(mixed + j * mixed_stride, (n + simd::lanes - 1) / simd::lanes * simd::lanes, bias[j]);
  const auto after = [&](Index c) { return c < channels ? x + c * stride : x + n; };
  Index c = 0;
  for (; c + 8 <= channels; c += 8)
    detail::sum_and_mix_units<8>(x + c * stride, after(c + 8), stride, n, weight + c, channels, units, sum + c, mixed, mixed_stride);
  for (; c < channels; ++c)
    detail::sum_and_mix_units<1>(x + c * stride, after(c + 1), stride, n, weight + c, channels, units, sum + c, mixed, mixed_stride);
}

}  // namespace attention::convolutional
