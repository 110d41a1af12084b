// Rung 5, tiled: image by image, so that the second pass finds the image in the cache.
//
// What changed: the order. Means, gates and products of one image, then of the next. 64 maps of 56 × 56 take 803 kB: read once from
// memory, they are still in the second-level cache when they are multiplied. Three passes over memory become two, and a hidden
// one: a store fetches the line that it will overwrite.
#include <omp.h>

#include "rungs/channel_gate.hpp"
#include "rungs/squeeze_excitation_gates.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_tiled(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_image_by_image<false>(p, out, [&](const float* mean, float* gate) { squeeze_excitation_gates_simd(p, mean, gate); });
}

std::size_t squeeze_excitation_tiled_workspace(const SqueezeExcitationProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads() * (p.channels() + p.hidden())) * sizeof(float);
}

}  // namespace attention::convolutional
