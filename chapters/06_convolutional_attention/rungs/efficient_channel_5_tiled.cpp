// Rung 5, tiled: image by image, so that the second pass finds the image in the cache.
//
// What changed: the order. Means, gates and products of one image, then of the next. An image that fits in the second-level
// cache is read from memory once instead of twice.
#include <omp.h>

#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_tiled(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_image_by_image<false>(p, out, [&](const float* mean, float* gate) { efficient_channel_gates(p, mean, gate); });
}

std::size_t efficient_channel_tiled_workspace(const EfficientChannelProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads() * p.channels()) * sizeof(float);
}

}  // namespace attention::convolutional
