// Rung 3, openmp: the passes of rung 2, their maps and images shared among the threads.
//
// What changed: `omp for`. Each image has a partial sum of the k weights' gradients of its own; they are added in the
// order of the images at the end, so the bits do not depend on the threads.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/efficient_channel_backward_gates.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_backward_openmp(const EfficientChannelBackwardProblem& p, EfficientChannelBackwardOutput& out) {
  prepare(p, out);
  EfficientChannelBackwardGates gates(p);
  gate_backward_in_passes(p, out.input, true, plain_dot, std::ref(gates));
  gates.finish(out);
}

}  // namespace attention::convolutional
