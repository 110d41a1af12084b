// Rung 2, loops: three passes over the whole batch as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. A map is read once for the means of its rows and of its columns. What stays slow: a
// row's mean is one chain of additions, and when the products begin, the first image has long left the caches.
#include "rungs/coordinate_passes.hpp"
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

void coordinate_loops(const CoordinateProblem& p, CoordinateOutput& out) { coordinate_in_passes<CoordinatePlain>(p, out, false); }

}  // namespace attention::convolutional
