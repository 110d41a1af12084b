// Rung 3, openmp: the passes of rung 2, their maps and images shared among the threads.
//
// What changed: `omp for` over maps or images in each pass. With one thread this rung is rung 2.
#include "rungs/coordinate_passes.hpp"
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

void coordinate_openmp(const CoordinateProblem& p, CoordinateOutput& out) { coordinate_in_passes<CoordinatePlain>(p, out, true); }

}  // namespace attention::convolutional
