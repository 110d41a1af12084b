// Rung 3, openmp: the passes of rung 2, their maps and images shared among the threads.
//
// What changed: `omp for`. No thread adds to weights that another adds to: a thread owns the kernels of the
// convolution, or rows of the two matrices, and adds the images in their order.
#include "rungs/cbam_backward_passes.hpp"
#include "rungs/cbam_backward_rungs.hpp"
#include "rungs/convolution_backward_rungs.hpp"

namespace attention::convolutional {

void cbam_backward_openmp(const CbamBackwardProblem& p, CbamBackwardOutput& out) {
  cbam_backward_in_passes(p, out, true, convolution_backward_openmp);
}

}  // namespace attention::convolutional
