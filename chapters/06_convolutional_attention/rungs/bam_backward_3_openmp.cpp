// Backward, rung 3, openmp: the passes of rung 2, shared among the threads.
//
// What changed: `omp for`. First over parts of the images, each with sums of its own for the gradients of the weights
// (gathered_parts.hpp). Then over all maps.
#include "rungs/bam_backward_passes.hpp"
#include "rungs/bam_backward_rungs.hpp"

namespace attention::convolutional {

void bam_backward_openmp(const BamBackwardProblem& p, BamBackwardOutput& out) {
  bam_backward_in_passes<BamBackwardPlain>(p, out, true);
}

}  // namespace attention::convolutional
