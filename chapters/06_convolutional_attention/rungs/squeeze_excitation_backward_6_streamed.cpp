// Rung 6, streamed: the input's gradient goes past the caches.
//
// What changed: the store instruction, as in forward. Two reads and one write of the maps remain: the roof.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/squeeze_excitation_backward_gates.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_backward_streamed(const SqueezeExcitationBackwardProblem& p,
                                          SqueezeExcitationBackwardOutput& out) {
  prepare(p, out);
  SqueezeExcitationBackwardGates gates(p);
  gate_backward_image_by_image<true>(p, out.input, std::ref(gates));
  gates.finish(true, out);
}

}  // namespace attention::convolutional
