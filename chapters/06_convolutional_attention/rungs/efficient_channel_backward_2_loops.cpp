// Rung 2, loops: two passes over the whole batch as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. As in squeeze-and-excitation a gate's gradient is one chain of
// multiply-adds, and G is read from memory twice. Only the way back through the gates is another.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/efficient_channel_backward_gates.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_backward_loops(const EfficientChannelBackwardProblem& p, EfficientChannelBackwardOutput& out) {
  prepare(p, out);
  EfficientChannelBackwardGates gates(p);
  gate_backward_in_passes(p, out.input, false, plain_dot, std::ref(gates));
  gates.finish(out);
}

std::size_t efficient_channel_backward_workspace(const EfficientChannelBackwardProblem& p) {
  // The small gradients; the formula has two of them with their border of zeros.
  return static_cast<std::size_t>(p.batch() * (5 * p.channels() + 2 * p.kernel())) * sizeof(float);
}

}  // namespace attention::convolutional
