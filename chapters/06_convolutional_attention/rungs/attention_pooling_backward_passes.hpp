#pragma once

#include <algorithm>

#include "attention_pooling_backward.hpp"
#include "rungs/attention_pooling_passes.hpp"
#include "rungs/attention_pooling_vector.hpp"

/// The backward pass of attention pooling in passes over the batch: what the rungs "loops", "openmp" and "simd" do.
namespace attention::convolutional {

/// D = dy · y of one image.
template <class Parts>
float weighted_gradient(const AttentionPoolingBackwardProblem& p, Index b) {
  return Parts::dot(p.output_gradient_of(b), p.output_of(b), p.forward.channels());
}

/// The gradients of all scores, then channel by channel dw and dx. The maps pass through memory twice, dx once. A
/// channel's sum over the images belongs to one thread.
template <class Parts>
void pool_backward_in_passes(const AttentionPoolingBackwardProblem& p, AttentionPoolingBackwardOutput& out,
                             bool parallel) {
  prepare(p, out);
  const AttentionPoolingProblem& f = p.forward;
  const Index places = f.places();
  tensor::Buffer score_gradient(static_cast<std::size_t>(f.batch() * places));
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < f.batch(); ++b) {
      float* de = score_gradient.data() + b * places;
      Parts::weigh(f.image_of(b), places, f.channels(), p.output_gradient_of(b), de);
      const float D = weighted_gradient<Parts>(p, b);
      const float* a = p.weights_of(b);
      for (Index i = 0; i < places; ++i) de[i] = a[i] * (de[i] - D);
    }
#pragma omp for schedule(static)
    for (Index c = 0; c < f.channels(); ++c) {
      float sum = 0;
      for (Index b = 0; b < f.batch(); ++b) {
        const float* de = score_gradient.data() + b * places;
        sum += Parts::dot(de, f.map_of(b, c), places);
        Parts::spread(p.weights_of(b), p.output_gradient_of(b)[c], de, f.weight.data()[c], places, out.map_of(b, c));
      }
      out.weight.data()[c] = sum;
    }
  }
}

/// The parts in plain loops.
struct AttentionPoolingBackwardPlain {
  /// to_p = Σ_c weight_c x_cp
  static void weigh(const float* image, Index places, Index channels, const float* weight, float* to) {
    std::fill_n(to, places, 0.F);
    for (Index c = 0; c < channels; ++c)
      for (Index i = 0; i < places; ++i) to[i] += weight[c] * image[c * places + i];
  }
  static float dot(const float* a, const float* b, Index n) { return plain_mean(a, b, n); }
  /// to = a dy + de w, for one map.
  static void spread(const float* a, float dy, const float* de, float w, Index n, float* to) {
    for (Index i = 0; i < n; ++i) to[i] = a[i] * dy + de[i] * w;
  }
};

/// The parts by vectors. With `past_caches` dx goes to memory directly.
template <bool past_caches>
struct AttentionPoolingBackwardVector {
  static void weigh(const float* image, Index places, Index channels, const float* weight, float* to) {
    sums_of_channels(image, places, channels, weight, 0, places, to);
  }
  static float dot(const float* a, const float* b, Index n) { return convolutional::dot(a, b, n); }
  static void spread(const float* a, float dy, const float* de, float w, Index n, float* to) {
    const simd::Float gradient = simd::broadcast(dy);
    const simd::Float weight = simd::broadcast(w);
    const auto value = [&](Index i, Index count) __attribute__((always_inline)) {
      return load_up_to(a + i, count) * gradient + load_up_to(de + i, count) * weight;
    };
    if constexpr (past_caches) return stream_places(n, to, value);
    for (Index i = 0; i < n; i += simd::lanes) {
      const Index count = std::min<Index>(simd::lanes, n - i);
      store_up_to(to + i, value(i, count), count);
    }
  }
};

}  // namespace attention::convolutional
