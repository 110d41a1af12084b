// Backward, rung 2, loops: the gradients of all scores, then dw and dx of all maps, as plain loops over contiguous
// memory.
//
// What changed: pointers instead of expressions. The maps are read from memory twice.
#include "rungs/attention_pooling_backward_passes.hpp"
#include "rungs/attention_pooling_backward_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_backward_loops(const AttentionPoolingBackwardProblem& p, AttentionPoolingBackwardOutput& out) {
  pool_backward_in_passes<AttentionPoolingBackwardPlain>(p, out, false);
}

std::size_t attention_pooling_backward_passes_workspace(const AttentionPoolingBackwardProblem& p) {
  return static_cast<std::size_t>(p.forward.batch() * p.forward.places()) * sizeof(float);
}

}  // namespace attention::convolutional
