// Rung 2, loops: the passes over the whole batch as plain loops, the spatial gate's convolution by rung 2 of its own
// backward ladder.
//
// What changed: pointers instead of expressions, and dF′ is never stored: its entries are sums of three numbers that
// are at hand, so they are made again where they are needed. Three passes read the input twice and G three times from
// memory.
#include "rungs/cbam_backward_passes.hpp"
#include "rungs/cbam_backward_rungs.hpp"
#include "rungs/convolution_backward_rungs.hpp"

namespace attention::convolutional {

void cbam_backward_loops(const CbamBackwardProblem& p, CbamBackwardOutput& out) {
  cbam_backward_in_passes(p, out, false, convolution_backward_loops);
}

std::size_t cbam_backward_passes_workspace(const CbamBackwardProblem& p) {
  // The convolution's problem and answer, and its own copies with borders; three small gradients a map.
  const Index padded = (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  return static_cast<std::size_t>(p.batch() * (5 * p.places() + 3 * padded + 3 * p.channels())) * sizeof(float) +
         CbamBackwardGates::bytes(p);
}

}  // namespace attention::convolutional
