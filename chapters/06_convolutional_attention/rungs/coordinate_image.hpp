#pragma once

#include "rungs/coordinate_vector.hpp"
#include "rungs/image_by_image.hpp"

namespace attention::convolutional {

/// Coordinate attention image by image: means, gates, and the products while the image is still in the cache. The maps are
/// multiplied from the last to the first: those read last are the nearest. With `ahead` the next image is read while this one is
/// written, map after map.
template <bool past_caches, bool ahead = false>
void coordinate_image_by_image(const CoordinateProblem& p, CoordinateOutput& out) {
  using Parts = CoordinateVector<past_caches>;
  prepare(p, out);
  const Index channels = p.channels();
  const Index height = p.height();
  const Index width = p.width();
  const Index pooled_size = channels * p.lines();
  const Index scratch_size = std::max(p.hidden() * p.lines(), Parts::factors(p));
  tensor::Buffer all_pooled(static_cast<std::size_t>(image_slots(p.batch()) * pooled_size));
  tensor::Buffer all_scratch(static_cast<std::size_t>(omp_get_max_threads() * scratch_size));
  const auto pooled = [&](Index slot) { return all_pooled.data() + slot * pooled_size; };
  const auto scratch = [&] { return all_scratch.data() + omp_get_thread_num() * scratch_size; };
  const ImageStage read(channels, [&](Index b, Index slot, Index c) {
    float* rows = pooled(slot) + c * p.lines();
    Parts::means(p.map_of(b, c), height, width, rows, rows + height);
  });
  const ImageStage decide(1, [&](Index b, Index slot, Index) {
    Parts::gates(p, pooled(slot), scratch(), out.row_gate_of(b), out.column_gate_of(b));
  });
  const ImageStage write(channels, [&](Index b, Index, Index turn) {
    const Index c = channels - 1 - turn;
    Parts::multiply(p.map_of(b, c), height, width, out.row_gate_of(b) + c * height, out.column_gate_of(b) + c * width, scratch(), out.map_of(b, c));
  });
  if (ahead && may_read_ahead(p.batch(), p.image_size())) {
    const ImageStage both(channels, [&](Index b, Index slot, Index c) {
      Parts::multiply_and_ask(p.map_of(b, c), height, width, out.row_gate_of(b) + c * height, out.column_gate_of(b) + c * width, scratch(),
                              out.map_of(b, c), p.map_of(b + 1, c));
      read.run(b + 1, slot, c);
    });
    return image_by_image_ahead(p.batch(), read, both, write, decide);
  }
  image_by_image(p.batch(), read, decide, write);
}

}  // namespace attention::convolutional
