// Backward, rung 4, packed: the matrices of all heads stand side by side, and each gradient is one blocked product.
//
// What changed: eight products a head become four for all heads, through registers and caches (common/simd/matrix_product.hpp).
// [dQ | dK | dV] is read once for dX and once for all of dW. In between the heads are taken apart for chapter 2's rung "tiled".
#include "rungs/multi_head_backward_rungs.hpp"
#include "rungs/side_by_side.hpp"

namespace attention::multi_head {

void backward_packed(const BackwardProblem& p, BackwardOutput& out) { backward_side_by_side(p, "tiled", blocked_product, out); }

std::size_t backward_packed_workspace(const BackwardProblem& p) {
  return side_by_side_workspace(p, "tiled") + blocked_product_workspace(p);
}

}  // namespace attention::multi_head
