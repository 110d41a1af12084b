// Rung 3, openmp: the rows of rung 2, shared out among the threads.
//
// What changed: two pragmas, and this time the schedule matters. Under a causal mask row i costs i + 1 keys: with
// schedule(static) and two threads, the first gets the cheap half of the rows, a quarter of the work, and waits. With
// schedule(dynamic) a thread that is done takes the next 8 rows. Which thread computes a row changes no bit of it.
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

void product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < rows; ++i) multiply_row(a + i * depth, depth, b, columns, c + i * columns);
}

}  // namespace

void openmp(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Projected x = project(p, product, true);
  const Slopes slopes(p);
#pragma omp parallel for collapse(3) schedule(dynamic, 8)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) attend_row(p, x, slopes.of(h), b, h, i, out);
}

}  // namespace attention::self_attention
