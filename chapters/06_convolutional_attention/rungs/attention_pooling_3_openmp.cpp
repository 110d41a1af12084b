// Rung 3, openmp: the passes of rung 2, images and maps shared among the threads.
//
// What changed: `omp for`, over the images for the weights, over all maps for the outputs. With one thread this rung is rung 2.
#include "rungs/attention_pooling_passes.hpp"
#include "rungs/attention_pooling_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_openmp(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) { pool_in_passes(p, out, true); }

}  // namespace attention::convolutional
