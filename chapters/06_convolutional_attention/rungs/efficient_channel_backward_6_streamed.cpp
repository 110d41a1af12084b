// Rung 6, streamed: the input's gradient goes past the caches.
//
// What changed: the store instruction, as in forward. Two reads and one write of the maps remain: the roof.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/efficient_channel_backward_gates.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_backward_streamed(const EfficientChannelBackwardProblem& p,
                                         EfficientChannelBackwardOutput& out) {
  prepare(p, out);
  EfficientChannelBackwardGates gates(p);
  gate_backward_image_by_image<true>(p, out.input, std::ref(gates));
  gates.finish(out);
}

}  // namespace attention::convolutional
