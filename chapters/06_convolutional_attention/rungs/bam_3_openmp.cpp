// Rung 3, openmp: the passes of rung 2, their maps and images shared among the threads.
//
// What changed: `omp for` over maps or images in each pass. With one thread this rung is rung 2.
#include "rungs/bam_passes.hpp"
#include "rungs/bam_rungs.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void bam_openmp(const BamProblem& p, BamOutput& out) { bam_in_passes<BamPlain>(p, out, true, convolution_openmp); }

}  // namespace attention::convolutional
