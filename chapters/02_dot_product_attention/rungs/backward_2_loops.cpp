// Rung 2, loops: pair by pair, plain loops over contiguous memory.
//
// What changed: a weight is computed where it is needed and never stored; a masked pair is not visited. What
// stays slow: two dot products a pair, each one chain of additions, and dK and dV are read and written again
// for every query.
#include "rungs/backward_row.hpp"
#include "rungs/backward_rungs.hpp"

namespace attention::dot_product {

void backward_loops(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  for (Index head = 0; head < p.all_heads(); ++head) {
    clear_gradients(p, head, out);
    for (Index i = 0; i < p.queries(); ++i) backward_row(p, head, i, out);
  }
}

std::size_t backward_loops_workspace(const BackwardProblem&) { return 0; }

}  // namespace attention::dot_product
