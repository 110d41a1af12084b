// Rung 2, loops: two passes over the whole batch as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. What stays slow: a gate's gradient is one chain of multiply-adds, each
// waiting four cycles for the last. And when the second pass begins, G has long left the caches: it is read from memory
// twice.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/squeeze_excitation_backward_gates.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_backward_loops(const SqueezeExcitationBackwardProblem& p,
                                       SqueezeExcitationBackwardOutput& out) {
  prepare(p, out);
  SqueezeExcitationBackwardGates gates(p);
  gate_backward_in_passes(p, out.input, false, plain_dot, std::ref(gates));
  gates.finish(false, out);
}

std::size_t squeeze_excitation_backward_workspace(const SqueezeExcitationBackwardProblem& p) {
  return static_cast<std::size_t>(p.batch() * (3 * p.channels() + p.hidden())) * sizeof(float);
}

}  // namespace attention::convolutional
