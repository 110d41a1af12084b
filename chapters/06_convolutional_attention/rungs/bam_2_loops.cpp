// Rung 2, loops: pass after pass over the whole batch as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. M is never stored: each of its elements is used once, where it is made. The
// convolution of 1 × 1 is added up channel by channel, places side by side, which the compiler makes vectors of; a mean is one
// chain, and every element of every map waits for an exponential.
#include "rungs/bam_passes.hpp"
#include "rungs/bam_rungs.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void bam_loops(const BamProblem& p, BamOutput& out) { bam_in_passes<BamPlain>(p, out, false, convolution_loops); }

std::size_t bam_passes_workspace(const BamProblem& p) {
  // The means, a layer's maps and the next layer's; the convolution's own copy of them with a border.
  const Index padded = (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  const Index images = std::max<Index>(p.batch(), omp_get_max_threads());
  return static_cast<std::size_t>(p.batch() * (p.channels() + 2 * p.hidden() * p.places()) + images * p.hidden() * padded) * sizeof(float);
}

}  // namespace attention::convolutional
