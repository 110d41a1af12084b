// Rung 3, openmp: the passes of rung 2, their maps shared among the threads.
//
// What changed: `omp for` over the maps, and over the images where the gates are made. With one thread this rung is rung 2.
#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"

namespace attention::convolutional {

void efficient_channel_openmp(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, true, plain_sum, [&](const float* mean, float* gate) { efficient_channel_gates(p, mean, gate); });
}

}  // namespace attention::convolutional
