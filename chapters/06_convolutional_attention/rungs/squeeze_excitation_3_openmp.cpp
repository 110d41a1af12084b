// Rung 3, openmp: the passes of rung 2, their maps shared among the threads.
//
// What changed: `omp for` over the maps. No map needs another but through the gates, and these come between two passes. With one
// thread this rung is rung 2.
#include "rungs/channel_gate.hpp"
#include "rungs/squeeze_excitation_gates.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void squeeze_excitation_openmp(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, true, plain_sum, [&](const float* mean, float* gate) { squeeze_excitation_gates(p, mean, gate); });
}

}  // namespace attention::convolutional
