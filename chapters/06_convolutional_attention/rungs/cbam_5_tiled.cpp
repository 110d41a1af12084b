// Rung 5, tiled: image by image, so that the second and the third pass find the image in the cache.
//
// What changed: the order. Both pools, both gates and the products of one image, then of the next. An image that fits in the
// second-level cache is read from memory once instead of three times. The pools over the channels go straight into two small
// planes with a border of zeros, from which the convolution reads its taps.
#include "rungs/cbam_image.hpp"
#include "rungs/cbam_rungs.hpp"

namespace attention::convolutional {

void cbam_tiled(const CbamProblem& p, CbamOutput& out) { cbam_image_by_image<false>(p, out, p.height()); }

std::size_t cbam_tiled_workspace(const CbamProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads()) * CbamScratch::bytes(p, p.height());
}

}  // namespace attention::convolutional
