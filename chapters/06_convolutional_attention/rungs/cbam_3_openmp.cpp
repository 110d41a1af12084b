// Rung 3, openmp: the passes of rung 2, their maps and images shared among the threads.
//
// What changed: `omp for` over maps or images in each pass. With one thread this rung is rung 2.
#include "rungs/cbam_passes.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void cbam_openmp(const CbamProblem& p, CbamOutput& out) { cbam_in_passes<CbamPlain>(p, out, true, convolution_openmp); }

}  // namespace attention::convolutional
