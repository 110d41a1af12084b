#pragma once

#include <omp.h>

#include "feature_maps.hpp"
#include "rungs/image_by_image.hpp"
#include "rungs/places.hpp"

/// How maps get one factor a channel, whatever computes the factors: squeeze-and-excitation and efficient channel attention
/// differ in nothing else. `gates(mean, gate)` makes one image's gates from the means of its channels.
namespace attention::convolutional {

/// Σ of one map: a single chain of additions.
inline float plain_sum(const float* x, Index n) {
  float sum = 0;
  for (Index i = 0; i < n; ++i) sum += x[i];
  return sum;
}

/// All means, then all gates, then all products: the maps pass through memory twice, the output once. In parallel over the maps
/// where `parallel` says so.
template <class Sum, class Gates>
void gate_in_passes(const FeatureMaps& p, GatedMaps& out, bool parallel, Sum sum, Gates gates) {
  prepare(p, out);
  const Index maps = p.batch() * p.channels();
  const Index places = p.places();
  tensor::Buffer mean(static_cast<std::size_t>(maps));
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m)
      mean[static_cast<std::size_t>(m)] = sum(p.input.data() + m * places, places) / static_cast<float>(places);
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) gates(mean.data() + b * p.channels(), out.gate_of(b));
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m) scale_map<false>(p.input.data() + m * places, places, out.gate.data()[m], out.output.data() + m * places);
  }
}

/// Image by image: means, gates, and the products while the image is still in the cache. The maps are scaled from the last
/// to the first: those read last are the nearest. With `ahead` the next image is read while this one is written.
template <bool past_caches, bool ahead = false, class Gates>
void gate_image_by_image(const FeatureMaps& p, GatedMaps& out, Gates gates) {
  prepare(p, out);
  const Index channels = p.channels();
  const Index places = p.places();
  tensor::Buffer mean(static_cast<std::size_t>(image_slots(p.batch()) * channels));
  const ImageStage read(channels, [&](Index b, Index slot, Index c) {
    mean[static_cast<std::size_t>(slot * channels + c)] = map_sum(p.map_of(b, c), places) / static_cast<float>(places);
  });
  const ImageStage decide(1, [&](Index b, Index slot, Index) { gates(mean.data() + slot * channels, out.gate_of(b)); });
  const ImageStage write(channels, [&](Index b, Index, Index turn) {
    const Index c = channels - 1 - turn;
    scale_map<past_caches>(p.map_of(b, c), places, out.gate_of(b)[c], out.map_of(b, c));
  });
  if (ahead && may_read_ahead(p.batch(), p.image_size())) {
    const ImageStage both(channels, [&](Index b, Index slot, Index c) {
      const float* x = p.map_of(b, c);
      const float* next = p.map_of(b + 1, c);
      const simd::Float gate = simd::broadcast(out.gate_of(b)[c]);
      MapSum sum;
      const Index i = stream_places(
          places, out.map_of(b, c), [&](Index at, Index count) __attribute__((always_inline)) { return gate * load_up_to(x + at, count); },
          [&](Index at) __attribute__((always_inline)) {
            ask_ahead(next + at);
            sum.block(next + at);
          });
      mean[static_cast<std::size_t>(slot * channels + c)] = sum.finish(next, i, places) / static_cast<float>(places);
    });
    return image_by_image_ahead(p.batch(), read, both, write, decide);
  }
  image_by_image(p.batch(), read, decide, write);
}

}  // namespace attention::convolutional
