// Rung 2, loops: five passes over the whole batch as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions, and F′ is never stored: its entries are products of two numbers that are at hand,
// so they are made again where they are needed. The means over the channels are added up channel by channel, places side by
// side, which the compiler makes vectors of; the pools over the places are one chain each. Every pass reads all maps from
// memory: three times in all.
#include "rungs/cbam_passes.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void cbam_loops(const CbamProblem& p, CbamOutput& out) { cbam_in_passes<CbamPlain>(p, out, false, convolution_loops); }

std::size_t cbam_passes_workspace(const CbamProblem& p) {
  // The pools, what was convolved; the convolution's own copy of one image's pools a thread.
  const Index padded = 2 * (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  return static_cast<std::size_t>(p.batch() * (2 * p.channels() + 3 * p.places()) + omp_get_max_threads() * padded) * sizeof(float);
}

}  // namespace attention::convolutional
