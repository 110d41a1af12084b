// Backward, rung 5, streamed: image by image, while it is in the cache; dx past the caches.
//
// What changed: the order, as in forward's rungs 5 and 6. x and dy of an image are read, its layers are gone through,
// and its dx is written while dy is still near, the last map first. So the roof is three passes over memory: x and dy
// once, dx once. Fewer images than threads: the threads share each image's maps, and the sums come in the same order.
#include <omp.h>

#include <vector>

#include "rungs/coordinate_backward_passes.hpp"
#include "rungs/coordinate_backward_rungs.hpp"
#include "rungs/image_by_image.hpp"

namespace attention::convolutional {

namespace {

using Parts = CoordinateBackwardVector<true>;

Index scratch_floats(const CoordinateProblem& f) { return std::max(layers_scratch(f), Parts::scratch(f)); }

/// da, and then dz, of one image.
struct Lines {
  tensor::Buffer rows, columns;
  explicit Lines(const CoordinateProblem& f)
      : rows(static_cast<std::size_t>(f.channels() * f.height())),
        columns(static_cast<std::size_t>(f.channels() * f.width())) {}
};

}  // namespace

void coordinate_backward_streamed(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out) {
  prepare(p, out);
  const CoordinateProblem& f = p.forward;
  const Index channels = f.channels();
  const GatheredParts parts(f.batch());
  const CoordinateTransposed turned(f);
  tensor::Buffer partial(static_cast<std::size_t>(parts.count * CoordinateSums::floats(f)));
  const auto sums = [&](Index part) { return partial.data() + part * CoordinateSums::floats(f); };
  std::vector<Lines> lines(static_cast<std::size_t>(image_slots(parts.count)), Lines(f));
  tensor::Buffer all_scratch(static_cast<std::size_t>(omp_get_max_threads() * scratch_floats(f)));
  const auto scratch = [&] { return all_scratch.data() + omp_get_thread_num() * scratch_floats(f); };
  const auto rows = [&](Index slot, Index c) { return lines[static_cast<std::size_t>(slot)].rows.data() + c * f.height(); };
  const auto columns = [&](Index slot, Index c) { return lines[static_cast<std::size_t>(slot)].columns.data() + c * f.width(); };
  image_by_image(
      parts, ImageStage(channels, [&](Index b, Index slot, Index c) { Parts::gather(p, b * channels + c, rows(slot, c), columns(slot, c)); }),
      ImageStage(1, [&](Index b, Index slot, Index) {
        layers_backward<Parts>(p, b, turned, scratch(), sums(parts.part_of(b)), rows(slot, 0), columns(slot, 0));
      }),
      ImageStage(channels, [&](Index b, Index slot, Index turn) {
        const Index c = channels - 1 - turn;
        Parts::spread(p, b * channels + c, rows(slot, c), columns(slot, c), scratch(), out);
      }));
  finish_sums(f, parts.count, partial, out);
}

std::size_t coordinate_backward_streamed_workspace(const CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  const Index threads = omp_get_max_threads();
  const Index parts = GatheredParts(f.batch()).count;
  const Index images = image_slots(parts);
  return static_cast<std::size_t>(images * f.channels() * f.lines() + parts * CoordinateSums::floats(f) +
                                  3 * f.channels() * f.hidden() + threads * scratch_floats(f)) *
         sizeof(float);
}

}  // namespace attention::convolutional
