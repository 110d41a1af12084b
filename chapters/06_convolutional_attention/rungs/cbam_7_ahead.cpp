// Rung 7, ahead: the next image is pooled over its places while this one is written.
//
// What changed: the order. All spatial gates of an image are made first, then it is written in one pass, and between the stores the next
// image is read. It comes from memory while this one goes there. Both images must fit in the second-level cache or in the core's
// share of the last level; where they do not, or where the threads share an image, this is rung 6.
#include "rungs/cbam_image.hpp"
#include "rungs/cbam_rungs.hpp"

namespace attention::convolutional {

void cbam_ahead(const CbamProblem& p, CbamOutput& out) { cbam_image_by_image<true, true>(p, out, cbam_band_rows(p)); }

}  // namespace attention::convolutional
