// Backward, rung 2, loops: both branches image by image, then all maps, as plain loops.
//
// What changed: pointers instead of expressions. The gate of an element is computed twice, once for the sums and once
// for dF: a number that is cheap to have again need not be stored.
#include "rungs/bam_backward_passes.hpp"
#include "rungs/bam_backward_rungs.hpp"

namespace attention::convolutional {

void bam_backward_loops(const BamBackwardProblem& p, BamBackwardOutput& out) {
  bam_backward_in_passes<BamBackwardPlain>(p, out, false);
}

std::size_t bam_backward_passes_workspace(const BamBackwardProblem& p) {
  const BamProblem& f = p.forward;
  return static_cast<std::size_t>(f.batch() * BamGradients::floats(f) +
                                  GatheredParts(f.batch()).count * BamSums::floats(f)) *
         sizeof(float);
}

}  // namespace attention::convolutional
