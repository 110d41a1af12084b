// Backward, rung 5, streamed: image by image, while it is in the cache; dx past the caches.
//
// What changed: the order, as in forward's rungs 5 and 6. x and dy of an image are read, its layers are gone through,
// and its dx is written while dy is still near, the last map first. So the roof is three passes over memory: x and dy
// once, dx once. Fewer images than threads: the threads share each image's maps, and the sums come in the same order.
#include <omp.h>

#include "rungs/coordinate_backward_passes.hpp"
#include "rungs/coordinate_backward_rungs.hpp"

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
  const auto gather = [&](Index b, Index c, Lines& lines) {
    Parts::gather(p, b * channels + c, lines.rows.data() + c * f.height(), lines.columns.data() + c * f.width());
  };
  const auto spread = [&](Index b, Index c, Lines& lines, float* scratch) {
    Parts::spread(p, b * channels + c, lines.rows.data() + c * f.height(), lines.columns.data() + c * f.width(),
                  scratch, out);
  };
  if (parts.count >= omp_get_max_threads()) {
#pragma omp parallel
    {
      tensor::Buffer scratch(static_cast<std::size_t>(scratch_floats(f)));
      Lines lines(f);
#pragma omp for schedule(static)
      for (Index part = 0; part < parts.count; ++part)
        for (Index b = parts.first_of(part); b < parts.first_of(part + 1); ++b) {
          for (Index c = 0; c < channels; ++c) gather(b, c, lines);
          layers_backward<Parts>(p, b, turned, scratch.data(), sums(part), lines.rows.data(), lines.columns.data());
          for (Index c = channels - 1; c >= 0; --c) spread(b, c, lines, scratch.data());
        }
      finish_streaming();
    }
  } else {
    Lines lines(f);
    for (Index part = 0; part < parts.count; ++part)
      for (Index b = parts.first_of(part); b < parts.first_of(part + 1); ++b)
#pragma omp parallel
      {
        tensor::Buffer scratch(static_cast<std::size_t>(scratch_floats(f)));
#pragma omp for schedule(static)
        for (Index c = 0; c < channels; ++c) gather(b, c, lines);
#pragma omp single
        layers_backward<Parts>(p, b, turned, scratch.data(), sums(part), lines.rows.data(), lines.columns.data());
#pragma omp for schedule(static)
        for (Index turn = 0; turn < channels; ++turn) spread(b, channels - 1 - turn, lines, scratch.data());
        finish_streaming();
      }
  }
  finish_sums(f, parts.count, partial, out);
}

std::size_t coordinate_backward_streamed_workspace(const CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  const Index threads = omp_get_max_threads();
  const Index parts = GatheredParts(f.batch()).count;
  const Index images = parts >= threads ? threads : 1;
  return static_cast<std::size_t>(images * f.channels() * f.lines() + parts * CoordinateSums::floats(f) +
                                  3 * f.channels() * f.hidden() + threads * scratch_floats(f)) *
         sizeof(float);
}

}  // namespace attention::convolutional
