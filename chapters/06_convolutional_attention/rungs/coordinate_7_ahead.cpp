// Rung 7, ahead: the next image is read while this one is written, map after map.
//
// What changed: the order, as in squeeze-and-excitation's rung 7. A map of this image is written, then a map of the next is read: the
// memory still takes the one while it already brings the other.
#include "rungs/coordinate_image.hpp"
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

void coordinate_ahead(const CoordinateProblem& p, CoordinateOutput& out) { coordinate_image_by_image<true, true>(p, out); }

}  // namespace attention::convolutional
