#pragma once

#include <cstdint>

#include "rungs/bam_passes.hpp"
#include "rungs/map.hpp"
#include "rungs/places.hpp"

namespace attention::convolutional {

/// to = (1 + σ(a + b)) · x for n places of a map, from its own a and the places' b. With `past_caches` the output goes to memory
/// directly.
template <bool past_caches>
inline void multiply_places(const float* x, Index n, float channel, const float* spatial, float* to) {
  const simd::Float one = simd::broadcast(1.F);
  const simd::Float of_channel = simd::broadcast(channel);
  const auto gated = [&](Index at, Index count) __attribute__((always_inline)) {
    return (one + sigmoid(of_channel + load_up_to(spatial + at, count))) * load_up_to(x + at, count);
  };
  if constexpr (past_caches) return stream_places(n, to, gated);
  for (Index i = 0; i < n; i += simd::lanes) {
    const Index count = std::min<Index>(simd::lanes, n - i);
    store_up_to(to + i, gated(i, count), count);
  }
}

/// Up to this |z| the product of two e^−z stays between e^−86 and e^86, which float32 can hold, and so can its reciprocal.
inline constexpr float bam_near = 43;

/// e^−z of n numbers, and whether all are near: NaN is not.
inline bool bam_decay(const float* z, Index n, float* to) {
  const simd::Float limit = simd::broadcast(bam_near);
  simd::Int far = {};
  for (Index i = 0; i < n; i += simd::lanes) {
    const Index count = std::min<Index>(simd::lanes, n - i);
    const simd::Float value = load_up_to(z + i, count);
    far |= ~((value <= limit) & (-value <= limit));
    store_up_to(to + i, simd::exp(-value), count);
  }
  std::int32_t any = 0;
  for (int lane = 0; lane < simd::lanes; ++lane) any |= far[lane];
  return any == 0;
}

/// The parts of the bottleneck attention module by vectors.
struct BamVector {
  static float sum(const float* x, Index n) { return map_sum(x, n); }
  static float product(const float* a, const float* b, Index n) { return dot(a, b, n); }
  static void mix(const BamLayer& layer, const float* maps, Index places, float* to) {
    mix_channels(maps, places, places, layer.inputs(), layer.weight.data(), layer.bias.data(), layer.outputs(), to, places);
  }
  static void rectify(float* x, Index n) {
#pragma omp simd
    for (Index i = 0; i < n; ++i) x[i] = x[i] < 0 ? 0 : x[i];
  }
  static void multiply(const float* x, Index n, float channel, const float* spatial, float* to) {
    multiply_places<false>(x, n, channel, spatial, to);
  }
};

}  // namespace attention::convolutional
