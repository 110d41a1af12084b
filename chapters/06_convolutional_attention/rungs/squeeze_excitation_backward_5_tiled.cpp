// Rung 5, tiled: image by image, so that the second pass finds G in the cache.
//
// What changed: the order. The gates' gradients of one image, the way back through its gates, its maps; then the next
// image. G comes from memory once.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/squeeze_excitation_backward_gates.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_backward_tiled(const SqueezeExcitationBackwardProblem& p,
                                       SqueezeExcitationBackwardOutput& out) {
  prepare(p, out);
  SqueezeExcitationBackwardGates gates(p);
  gate_backward_image_by_image<false>(p, out.input, std::ref(gates));
  gates.finish(true, out);
}

}  // namespace attention::convolutional
