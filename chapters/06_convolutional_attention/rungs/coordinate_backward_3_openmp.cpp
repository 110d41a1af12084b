// Backward, rung 3, openmp: the passes of rung 2, shared among the threads.
//
// What changed: `omp for`, over the maps first and last. In between all images add to the gradients of the weights:
// parts of the images have sums of their own (gathered_parts.hpp), so that there is no race and the number of threads
// does not show.
#include "rungs/coordinate_backward_passes.hpp"
#include "rungs/coordinate_backward_rungs.hpp"

namespace attention::convolutional {

void coordinate_backward_openmp(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out) {
  coordinate_backward_in_passes<CoordinateBackwardPlain>(p, out, true);
}

}  // namespace attention::convolutional
