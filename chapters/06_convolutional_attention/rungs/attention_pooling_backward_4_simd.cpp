// Backward, rung 4, simd: the same passes by vectors.
//
// What changed: forward's scoring of the places serves again, with dy in the place of w: 128 places stay in registers
// while the channels pass. A sum over the places has four chains of vectors.
#include "rungs/attention_pooling_backward_passes.hpp"
#include "rungs/attention_pooling_backward_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_backward_simd(const AttentionPoolingBackwardProblem& p, AttentionPoolingBackwardOutput& out) {
  pool_backward_in_passes<AttentionPoolingBackwardVector<false>>(p, out, true);
}

}  // namespace attention::convolutional
