// Rung 3, openmp: the passes of rung 2, their maps and images shared among the threads, and the rows of the weights.
//
// What changed: `omp for`. Images share the weights, so no thread may add an image's part to them as it goes: the small
// gradients of all images are kept, and at the end each thread adds up rows of weights that nobody else writes, image
// after image.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/squeeze_excitation_backward_gates.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_backward_openmp(const SqueezeExcitationBackwardProblem& p,
                                        SqueezeExcitationBackwardOutput& out) {
  prepare(p, out);
  SqueezeExcitationBackwardGates gates(p);
  gate_backward_in_passes(p, out.input, true, plain_dot, std::ref(gates));
  gates.finish(true, out);
}

}  // namespace attention::convolutional
