#pragma once

#include "rungs/coordinate_vector.hpp"
#include "rungs/streaming_store.hpp"

namespace attention::convolutional {

/// Coordinate attention image by image: means, gates, and the products while the image is still in the cache. The maps are
/// multiplied from the last to the first: those read last are the nearest. Fewer images than threads: the threads share each image's
/// maps.
template <bool past_caches>
void coordinate_image_by_image(const CoordinateProblem& p, CoordinateOutput& out) {
  using Parts = CoordinateVector<past_caches>;
  prepare(p, out);
  const Index channels = p.channels();
  const Index height = p.height();
  const Index width = p.width();
  const auto pooled_size = static_cast<std::size_t>(channels * p.lines());
  const auto scratch_size = static_cast<std::size_t>(std::max(p.hidden() * p.lines(), Parts::factors(p)));
  const auto means = [&](Index b, Index c, float* pooled) {
    float* rows = pooled + c * p.lines();
    Parts::means(p.map_of(b, c), height, width, rows, rows + height);
  };
  const auto multiply = [&](Index b, Index c, float* scratch) {
    Parts::multiply(p.map_of(b, c), height, width, out.row_gate_of(b) + c * height, out.column_gate_of(b) + c * width, scratch,
                    out.map_of(b, c));
  };

  if (p.batch() >= omp_get_max_threads()) {
#pragma omp parallel
    {
      tensor::Buffer pooled(pooled_size);
      tensor::Buffer scratch(scratch_size);
#pragma omp for schedule(static)
      for (Index b = 0; b < p.batch(); ++b) {
        for (Index c = 0; c < channels; ++c) means(b, c, pooled.data());
        Parts::gates(p, pooled.data(), scratch.data(), out.row_gate_of(b), out.column_gate_of(b));
        for (Index c = channels - 1; c >= 0; --c) multiply(b, c, scratch.data());
      }
      if (past_caches) finish_streaming();
    }
    return;
  }
  tensor::Buffer pooled(pooled_size);
  for (Index b = 0; b < p.batch(); ++b)
#pragma omp parallel
  {
    tensor::Buffer scratch(scratch_size);
#pragma omp for schedule(static)
    for (Index c = 0; c < channels; ++c) means(b, c, pooled.data());
#pragma omp single
    Parts::gates(p, pooled.data(), scratch.data(), out.row_gate_of(b), out.column_gate_of(b));
    // The same maps as before for each thread, again the last one first.
#pragma omp for schedule(static)
    for (Index turn = 0; turn < channels; ++turn) multiply(b, channels - 1 - turn, scratch.data());
    if (past_caches) finish_streaming();
  }
}

}  // namespace attention::convolutional
