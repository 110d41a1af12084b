// Rung 2, loops: all means, then all gates, then all products, as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. As in squeeze-and-excitation a mean is one chain of additions, and the maps
// are read from memory twice. Only the gates are others.
#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_loops(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, false, plain_sum, [&](const float* mean, float* gate) { efficient_channel_gates(p, mean, gate); });
}

std::size_t efficient_channel_workspace(const EfficientChannelProblem& p) {
  // The means; the formula has them with their border of zeros, and the gates' arguments.
  return static_cast<std::size_t>(p.batch() * (2 * p.channels() + p.kernel())) * sizeof(float);
}

}  // namespace attention::convolutional
