// Rung 4, simd: four vectors of partial sums instead of one chain.
//
// What changed: a product of two maps is summed by 4 × 16 lanes. From here on the passes over memory are what takes the
// time: the input once, G twice, and the input's gradient, whose lines are fetched before they are written.
#include <functional>

#include "rungs/channel_gate_backward.hpp"
#include "rungs/squeeze_excitation_backward_gates.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_backward_simd(const SqueezeExcitationBackwardProblem& p, SqueezeExcitationBackwardOutput& out) {
  prepare(p, out);
  SqueezeExcitationBackwardGates gates(p);
  gate_backward_in_passes(p, out.input, true, dot, std::ref(gates));
  gates.finish(true, out);
}

}  // namespace attention::convolutional
