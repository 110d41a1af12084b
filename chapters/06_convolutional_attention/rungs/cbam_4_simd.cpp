// Rung 4, simd: the same passes by vectors, the convolution by rung 5 of its own ladder.
//
// What changed: the pools over the places have four chains of vectors each; those over the channels keep the sums and maxima of
// 128 places in registers while the channels pass, where rung 2 loads and stores them for every channel. σ of the places is a vector
// function. The convolution has 98 terms and one output channel: its ladder's last rung makes wide tiles of such.
#include "rungs/cbam_passes.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/cbam_vector.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void cbam_simd(const CbamProblem& p, CbamOutput& out) { cbam_in_passes<CbamVector>(p, out, true, convolution_tiled); }

}  // namespace attention::convolutional
