// Backward, rung 3, openmp: the passes of rung 2, shared among the threads.
//
// What changed: `omp for`, over the images for the scores, over the channels for dw and dx. Over the images again would
// be a race: all of them add to dw.
#include "rungs/attention_pooling_backward_passes.hpp"
#include "rungs/attention_pooling_backward_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_backward_openmp(const AttentionPoolingBackwardProblem& p, AttentionPoolingBackwardOutput& out) {
  pool_backward_in_passes<AttentionPoolingBackwardPlain>(p, out, true);
}

}  // namespace attention::convolutional
