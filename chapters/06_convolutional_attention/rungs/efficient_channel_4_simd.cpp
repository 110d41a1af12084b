// Rung 4, simd: four vectors of partial sums instead of one chain.
//
// What changed: a map is summed by 4 × 16 lanes, not by one chain that waits four cycles for every addition. After this the
// passes over memory are what takes the time.
#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_simd(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, true, map_sum, [&](const float* mean, float* gate) { efficient_channel_gates(p, mean, gate); });
}

}  // namespace attention::convolutional
