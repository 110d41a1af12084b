// Rung 4, simd: the same passes by vectors, the dilated convolutions by rung 5 of the convolution's ladder.
//
// What changed: a mean has four chains of vectors. The convolution of 1 × 1 holds 64 places of four outputs in registers while the
// channels pass. The exponential, one for each element of each map, is a vector function, and its division an estimate with one step
// of Newton's method.
#include "rungs/bam_passes.hpp"
#include "rungs/bam_rungs.hpp"
#include "rungs/bam_vector.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void bam_simd(const BamProblem& p, BamOutput& out) { bam_in_passes<BamVector>(p, out, true, convolution_tiled); }

}  // namespace attention::convolutional
