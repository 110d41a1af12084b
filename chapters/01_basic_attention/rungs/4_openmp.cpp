// Rung 4, openmp: the rows of rung 3, shared out among the threads.
//
// What changed: three pragmas. No row needs another; each thread writes rows of its own. With one thread this rung is rung 3.
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

void openmp(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index hidden = p.hidden();
  tensor::Buffer a(static_cast<std::size_t>(p.queries() * hidden));
  tensor::Buffer b(static_cast<std::size_t>(p.keys() * hidden));
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < p.queries(); ++i)
    project(p.W.data(), hidden, p.query_dim(), p.query.data() + i * p.query_dim(), a.data() + i * hidden);
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < p.keys(); ++j)
    project(p.U.data(), hidden, p.key_dim(), p.key.data() + j * p.key_dim(), b.data() + j * hidden);
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < p.queries(); ++i) attend_row(p, i, a.data() + i * hidden, b.data(), out);
}

}  // namespace attention::additive
