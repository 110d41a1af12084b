// Backward, rung 5, fused: chapter 2's top rung in the heads.
//
// What changed: one word. The five products of a head go through the micro-kernel tile by tile, the weights are recomputed, and
// parts of the keys are shared among the threads with partial sums whose order the shape decides.
#include "rungs/multi_head_backward_rungs.hpp"
#include "rungs/side_by_side.hpp"

namespace attention::multi_head {

void backward_fused(const BackwardProblem& p, BackwardOutput& out) { backward_side_by_side(p, "parallel", blocked_product, out); }

std::size_t backward_fused_workspace(const BackwardProblem& p) {
  return side_by_side_workspace(p, "parallel") + blocked_product_workspace(p);
}

}  // namespace attention::multi_head
