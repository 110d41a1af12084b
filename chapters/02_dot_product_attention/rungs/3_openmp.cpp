// Rung 3, openmp: the rows of rung 2, shared out among the threads.
//
// What changed: one pragma. No row needs another, so nothing is shared but what is only read; each thread writes rows of
// its own. Work per core is the same as before: with one thread this rung is rung 2.
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::dot_product {

void openmp(const Problem& p, Output& out) {
  prepare(p, out, true);
#pragma omp parallel for collapse(3) schedule(static)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) attend_row(p, b, h, i, out);
}

}  // namespace attention::dot_product
