#pragma once

#include <algorithm>
#include <limits>

#include "rungs/places.hpp"
#include "simd/reduce_rows.hpp"

/// What is done with places whose channels lie beside each other: a vector holds channels of one place.
namespace attention::convolutional {

/// Places of a part of an image. The parts' sums are added one after the other, whoever computed them.
inline constexpr Index channels_last_part = 512;

inline Index channels_last_parts(Index places) { return (places + channels_last_part - 1) / channels_last_part; }

/// Calls body(at, count, vectors) over n channels: four vectors at a time, then one, then what is left of one (count < lanes).
template <class Body>
[[gnu::always_inline]] inline void for_channels(Index n, Body body) {
  Index at = 0;
  for (; at + 4 * simd::lanes <= n; at += 4 * simd::lanes)
    body(at, std::integral_constant<Index, simd::lanes>{}, std::integral_constant<int, 4>{});
  for (; at + simd::lanes <= n; at += simd::lanes) body(at, std::integral_constant<Index, simd::lanes>{}, std::integral_constant<int, 1>{});
  if (at < n) body(at, n - at, std::integral_constant<int, 1>{});
}

/// sum[c] = Σ_i weight_i x_ic over `places` places of `channels` channels; all weights 1 where `weight` is null. Where `largest` is not
/// null, the largest x_ic as well; it passes over NaNs. Four chains a channel: the additions need not wait for each other.
template <bool weighted, bool maxima>
inline void sum_places(const float* x, Index places, Index channels, const float* weight, float* sum, float* largest) {
  constexpr int chains = 4;
  for_channels(channels, [&](Index c, auto count, auto vectors) __attribute__((always_inline)) {
    constexpr int many = decltype(vectors)::value;
    simd::Float total[chains][many] = {};
    simd::Float most[chains][many];
    for (auto& chain : most)
      for (simd::Float& m : chain) m = simd::broadcast(-std::numeric_limits<float>::infinity());
    const auto add = [&](auto chain, Index place) __attribute__((always_inline)) {
      const float* from = x + place * channels + c;
      simd::unrolled<many>([&](auto v) __attribute__((always_inline)) {
        const simd::Float value = load_up_to(from + v * simd::lanes, count);
        if constexpr (weighted)
          total[chain][v] += simd::broadcast(weight[place]) * value;
        else
          total[chain][v] += value;
        if constexpr (maxima) most[chain][v] = simd::max(value, most[chain][v]);
      });
    };
    Index i = 0;
    for (; i + chains <= places; i += chains)
      simd::unrolled<chains>([&](auto chain) __attribute__((always_inline)) { add(chain, i + chain); });
    for (; i < places; ++i) add(std::integral_constant<int, 0>{}, i);
    simd::unrolled<many>([&](auto v) __attribute__((always_inline)) {
      store_up_to(sum + c + v * simd::lanes, (total[0][v] + total[1][v]) + (total[2][v] + total[3][v]), count);
      if constexpr (maxima)
        store_up_to(largest + c + v * simd::lanes,
                    simd::max(simd::max(most[0][v], most[1][v]), simd::max(most[2][v], most[3][v])), count);
    });
  });
}

/// sum[i] = Σ_c factor_c x_ic for each of `places` places, and with `maxima` the largest of these products.
template <bool maxima>
inline void sum_channels(const float* x, Index places, Index channels, const float* factor, float* sum, float* largest) {
  const simd::Float lowest = simd::broadcast(-std::numeric_limits<float>::infinity());
  simd::Int lane;
  for (int i = 0; i < simd::lanes; ++i) lane[i] = i;
  simd::Float total[simd::lanes] = {};
  simd::Float most[simd::lanes] = {};
  for (Index first = 0; first < places; first += simd::lanes) {
    const Index rows = std::min<Index>(simd::lanes, places - first);
    for (Index i = 0; i < rows; ++i) {
      const float* from = x + (first + i) * channels;
      simd::Float s = {};
      simd::Float m = lowest;
      for_channels(channels, [&](Index c, auto count, auto vectors) __attribute__((always_inline)) {
        simd::unrolled<decltype(vectors)::value>([&](auto v) __attribute__((always_inline)) {
          const simd::Float value = load_up_to(factor + c + v * simd::lanes, count) * load_up_to(from + c + v * simd::lanes, count);
          s += value;
          if constexpr (maxima) {
            // Lanes without a channel hold 0, which is no channel's product.
            const simd::Int there = simd::Int{} + static_cast<std::int32_t>(count);
            m = simd::max(lane < there ? value : lowest, m);
          }
        });
      });
      total[i] = s;
      most[i] = m;
    }
    store_up_to(sum + first, simd::reduce_rows(total, [](simd::Float a, simd::Float b) { return a + b; }), rows);
    if constexpr (maxima) store_up_to(largest + first, simd::reduce_rows(most, [](simd::Float a, simd::Float b) { return simd::max(a, b); }), rows);
  }
}

/// to_ic = place_factor_i · factor_c · x_ic; all place factors 1 where `place_factor` is null. Past the caches where a place is a whole
/// number of vectors, all of them aligned.
inline void scale_channels(const float* x, Index places, Index channels, const float* factor, const float* place_factor, float* to) {
  const bool whole = channels % simd::lanes == 0 && may_stream(to);
  for (Index i = 0; i < places; ++i, x += channels, to += channels) {
    const float p = place_factor ? place_factor[i] : 1;
    if (whole) {
      const simd::Float of_place = simd::broadcast(p);
      for (Index c = 0; c < channels; c += simd::lanes) stream(to + c, of_place * simd::load(factor + c) * simd::load(x + c));
    } else {
#pragma omp simd
      for (Index c = 0; c < channels; ++c) to[c] = p * factor[c] * x[c];
    }
  }
}

}  // namespace attention::convolutional
