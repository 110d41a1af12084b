// Rung 5, tiled: image by image, so that the second pass finds the image in the cache.
//
// What changed: the order. Means, gates and products of one image, then of the next.
#include "rungs/coordinate_image.hpp"
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

void coordinate_tiled(const CoordinateProblem& p, CoordinateOutput& out) { coordinate_image_by_image<false>(p, out); }

std::size_t coordinate_image_workspace(const CoordinateProblem& p) {
  const Index scratch = std::max(p.hidden() * p.lines(), CoordinateVector<false>::factors(p));
  return static_cast<std::size_t>(omp_get_max_threads() * (p.channels() * p.lines() + scratch)) * sizeof(float);
}

}  // namespace attention::convolutional
