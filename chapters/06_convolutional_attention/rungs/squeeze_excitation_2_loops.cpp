// Rung 2, loops: three passes over the whole batch as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions; the products are vectorised by the compiler. What stays slow: a mean is one
// chain of additions, each waiting four cycles for the last. And when the products begin, the first image has long left the
// caches: the maps are read from memory twice.
#include "rungs/channel_gate.hpp"
#include "rungs/squeeze_excitation_gates.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_loops(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, false, plain_sum, [&](const float* mean, float* gate) { squeeze_excitation_gates(p, mean, gate); });
}

std::size_t squeeze_excitation_workspace(const SqueezeExcitationProblem& p) {
  return static_cast<std::size_t>(p.batch() * p.channels() + p.hidden()) * sizeof(float);
}

}  // namespace attention::convolutional
