// Rung 7, ahead: the next image is read while this one is written.
//
// What changed: the order, as in squeeze-and-excitation's rung 7. The sums of the next image are taken between the stores of this one.
#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_ahead(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_image_by_image<true, true>(p, out, [&](const float* mean, float* gate) { efficient_channel_gates(p, mean, gate); });
}

}  // namespace attention::convolutional
