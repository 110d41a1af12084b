#pragma once

#include <omp.h>

#include "feature_maps.hpp"
#include "rungs/map.hpp"

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
/// to the first: those read last are the nearest. Fewer images than threads: the threads share each image's maps.
template <bool past_caches, class Gates>
void gate_image_by_image(const FeatureMaps& p, GatedMaps& out, Gates gates) {
  prepare(p, out);
  const Index channels = p.channels();
  const Index places = p.places();
  const auto mean_of = [&](Index b, Index c) { return map_sum(p.map_of(b, c), places) / static_cast<float>(places); };
  const auto scale = [&](Index b, Index c) { scale_map<past_caches>(p.map_of(b, c), places, out.gate_of(b)[c], out.map_of(b, c)); };

  if (p.batch() >= omp_get_max_threads()) {
#pragma omp parallel
    {
      tensor::Buffer mean(static_cast<std::size_t>(channels));
#pragma omp for schedule(static)
      for (Index b = 0; b < p.batch(); ++b) {
        for (Index c = 0; c < channels; ++c) mean[static_cast<std::size_t>(c)] = mean_of(b, c);
        gates(mean.data(), out.gate_of(b));
        for (Index c = channels - 1; c >= 0; --c) scale(b, c);
      }
      if (past_caches) finish_streaming();
    }
    return;
  }
  tensor::Buffer mean(static_cast<std::size_t>(channels));
  for (Index b = 0; b < p.batch(); ++b) {
#pragma omp parallel for schedule(static)
    for (Index c = 0; c < channels; ++c) mean[static_cast<std::size_t>(c)] = mean_of(b, c);
    gates(mean.data(), out.gate_of(b));
#pragma omp parallel
    {
      // The same maps as before for each thread, again the last one first.
#pragma omp for schedule(static)
      for (Index turn = 0; turn < channels; ++turn) scale(b, channels - 1 - turn);
      if (past_caches) finish_streaming();
    }
  }
}

}  // namespace attention::convolutional
