// Rung 3, openmp: the heads of rung 2, shared out among the threads.
//
// What changed: one pragma. In forward it stood over the rows, too. Here it must not: every query adds to the
// gradients of all keys, and two threads that do so at once lose each other's additions. Only heads have
// nothing in common, so this rung uses at most as many threads as there are heads.
#include "rungs/backward_row.hpp"
#include "rungs/backward_rungs.hpp"

namespace attention::dot_product {

void backward_openmp(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
#pragma omp parallel for schedule(static)
  for (Index head = 0; head < p.all_heads(); ++head) {
    clear_gradients(p, head, out);
    for (Index i = 0; i < p.queries(); ++i) backward_row(p, head, i, out);
  }
}

}  // namespace attention::dot_product
