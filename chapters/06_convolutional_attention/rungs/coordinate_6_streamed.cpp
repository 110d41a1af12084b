// Rung 6, streamed: the output goes past the caches.
//
// What changed: the store instruction, as for the channel gates. One read and one write remain, and no rung can do with less.
#include "rungs/coordinate_image.hpp"
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

void coordinate_streamed(const CoordinateProblem& p, CoordinateOutput& out) { coordinate_image_by_image<true>(p, out); }

}  // namespace attention::convolutional
