// Backward, rung 4, simd: the same passes by vectors.
//
// What changed: rows and columns from one load, as in forward, with the other side's gates as weights: the columns'
// sums and the columns' gates stay in registers while the rows pass. The small products are forward's, with weights
// that were turned round once.
#include "rungs/coordinate_backward_passes.hpp"
#include "rungs/coordinate_backward_rungs.hpp"

namespace attention::convolutional {

void coordinate_backward_simd(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out) {
  coordinate_backward_in_passes<CoordinateBackwardVector<false>>(p, out, true);
}

}  // namespace attention::convolutional
