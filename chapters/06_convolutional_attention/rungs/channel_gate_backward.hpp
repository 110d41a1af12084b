#pragma once

#include "feature_maps.hpp"
#include "rungs/image_by_image.hpp"
#include "rungs/places.hpp"

/// The way back through maps that had one factor a channel, whatever computed the factors: squeeze-and-excitation and
/// efficient channel attention differ in nothing else. A problem P has map_of, gradient_of (a map of G) and kept.gate.
/// For the image b, `gates(b, gate_gradient, shift)` makes from the gates' gradients what is added to every place of
/// each channel.
namespace attention::convolutional {

/// a · b: a single chain of additions.
inline float plain_dot(const float* a, const float* b, Index n) {
  float sum = 0;
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// to = factor · x + shift. With `past_caches` the output goes to memory directly, as far as it is aligned.
template <bool past_caches>
inline void scale_and_shift_map(const float* x, Index n, float factor, float shift, float* to) {
  if constexpr (past_caches) {
    const simd::Float f = simd::broadcast(factor);
    const simd::Float s = simd::broadcast(shift);
    return stream_places(
        n, to, [&](Index i, Index count) __attribute__((always_inline)) { return f * load_up_to(x + i, count) + s; });
  }
#pragma omp simd
  for (Index i = 0; i < n; ++i) to[i] = factor * x[i] + shift;
}

/// All gates' gradients, then all gates, then all maps: G passes through memory twice, the input and its gradient once.
/// In parallel over the maps where `parallel` says so.
template <class P, class Dot, class Gates>
void gate_backward_in_passes(const P& p, Tensor<4>& input_gradient, bool parallel, Dot dot, Gates gates) {
  const Index maps = p.batch() * p.channels();
  const Index places = p.places();
  tensor::UnsetBuffer gate_gradient(static_cast<std::size_t>(maps));
  tensor::UnsetBuffer shift(gate_gradient.size());
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m)
      gate_gradient.data()[m] = dot(p.output_gradient.data() + m * places, p.input.data() + m * places, places);
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      gates(b, gate_gradient.data() + b * p.channels(), shift.data() + b * p.channels());
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m)
      scale_and_shift_map<false>(p.output_gradient.data() + m * places, places, p.kept.gate.data()[m], shift.data()[m],
                                 input_gradient.data() + m * places);
  }
}

/// Image by image: the maps of G are still in the cache when they are needed again, those read last the nearest.
template <bool past_caches, class P, class Gates>
void gate_backward_image_by_image(const P& p, Tensor<4>& input_gradient, Gates gates) {
  const Index channels = p.channels();
  const Index places = p.places();
  tensor::UnsetBuffer gate_gradients(static_cast<std::size_t>(p.batch() * channels));
  tensor::UnsetBuffer shifts(gate_gradients.size());
  image_by_image(
      p.batch(),
      ImageStage(channels, [&](Index b, Index, Index c) {
        gate_gradients.data()[b * channels + c] = dot(p.gradient_of(b, c), p.map_of(b, c), places);
      }),
      ImageStage(1, [&](Index b, Index, Index) { gates(b, gate_gradients.data() + b * channels, shifts.data() + b * channels); }),
      ImageStage(channels, [&](Index b, Index, Index turn) {
        const Index map = b * channels + channels - 1 - turn;
        scale_and_shift_map<past_caches>(p.output_gradient.data() + map * places, places, p.kept.gate.data()[map], shifts.data()[map],
                                         input_gradient.data() + map * places);
      }));
}

}  // namespace attention::convolutional
