// Rung 4, simd: four vectors of partial sums instead of one chain.
//
// What changed: a product of two maps is summed by 4 × 16 lanes. From here on the passes over memory are what takes the
// time.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/efficient_channel_backward_gates.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_backward_simd(const EfficientChannelBackwardProblem& p, EfficientChannelBackwardOutput& out) {
  prepare(p, out);
  EfficientChannelBackwardGates gates(p);
  gate_backward_in_passes(p, out.input, true, dot, std::ref(gates));
  gates.finish(out);
}

}  // namespace attention::convolutional
