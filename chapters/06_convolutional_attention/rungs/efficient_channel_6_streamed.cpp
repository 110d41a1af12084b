// Rung 6, streamed: the output goes past the caches.
//
// What changed: the store instruction. An ordinary store fetches the line that it will overwrite; a streaming store writes
// whole lines and fetches nothing. One read and one write of the maps remain.
#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_streamed(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_image_by_image<true>(p, out, [&](const float* mean, float* gate) { efficient_channel_gates(p, mean, gate); });
}

}  // namespace attention::convolutional
