// Rung 6, streamed: the output goes past the caches.
//
// What changed: the store instruction. An ordinary store first fetches the line from memory, since it may change only a part
// of it: the output passes through memory twice. A streaming store writes whole lines and fetches nothing; it leaves the image
// in the cache alone, too. One read and one write remain, and no rung can do with less.
#include "rungs/channel_gate.hpp"
#include "rungs/squeeze_excitation_gates.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_streamed(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_image_by_image<true>(p, out, [&](const float* mean, float* gate) { squeeze_excitation_gates_simd(p, mean, gate); });
}

}  // namespace attention::convolutional
