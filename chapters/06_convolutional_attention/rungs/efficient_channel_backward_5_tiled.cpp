// Rung 5, tiled: image by image, so that the second pass finds G in the cache.
//
// What changed: the order. Everything of one image, then of the next: G comes from memory once.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/efficient_channel_backward_gates.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_backward_tiled(const EfficientChannelBackwardProblem& p, EfficientChannelBackwardOutput& out) {
  prepare(p, out);
  EfficientChannelBackwardGates gates(p);
  gate_backward_image_by_image<false>(p, out.input, std::ref(gates));
  gates.finish(out);
}

}  // namespace attention::convolutional
