// Rung 2, loops: all scores and weights, then all outputs, as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. The scores are added up channel by channel, places side by side: the compiler
// makes vectors of that. An output is one chain of additions over the places. The maps are read from memory twice.
#include "rungs/attention_pooling_passes.hpp"
#include "rungs/attention_pooling_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_loops(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) { pool_in_passes(p, out, false); }

}  // namespace attention::convolutional
