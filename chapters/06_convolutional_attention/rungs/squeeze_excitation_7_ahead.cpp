// Rung 7, ahead: the next image is read while this one is written.
//
// What changed: the order once more. A pass that reads waits for memory to answer, a pass that writes waits for it to take; one core can
// have both under way. So the sums of the next image are taken between the stores of this one. Both images must fit in the
// second-level cache or in the core's share of the last level; where they do not, or where the threads share an image, this is rung 6.
#include "rungs/channel_gate.hpp"
#include "rungs/squeeze_excitation_gates.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_ahead(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_image_by_image<true, true>(p, out, [&](const float* mean, float* gate) { squeeze_excitation_gates_simd(p, mean, gate); });
}

}  // namespace attention::convolutional
