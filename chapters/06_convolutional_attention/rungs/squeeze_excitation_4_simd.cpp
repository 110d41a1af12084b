// Rung 4, simd: four vectors of partial sums instead of one chain.
//
// What changed: a map is summed by 4 × 16 lanes. One chain adds a float every four cycles, four vectors add sixteen floats
// every cycle. From here on the arithmetic is no longer what takes the time: the passes over memory are. The small products have
// vectors, too.
#include "rungs/channel_gate.hpp"
#include "rungs/squeeze_excitation_gates.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_simd(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, true, map_sum, [&](const float* mean, float* gate) { squeeze_excitation_gates_simd(p, mean, gate); });
}

}  // namespace attention::convolutional
