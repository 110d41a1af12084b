// Rung 3, openmp: the loops of rung 2, shared among the threads.
//
// What changed: the projections are shared out by head and row, the attention as in chapter 2, the output projection by row.
// (By head alone, as one might think first, eight heads keep eight threads busy and no more.)
#include "rungs/heads.hpp"
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::multi_head {

void openmp(const Problem& p, Output& out) {
  prepare(p, out);
  const Index width = p.width();
  const Index dim = p.dim();
  const Index matrix = width * dim;
  dot_product::Problem heads = room_for_heads(p);
#pragma omp parallel
  {
#pragma omp for collapse(3) schedule(static) nowait
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        for (Index i = 0; i < p.queries(); ++i)
          row_times_matrix(p.input_of(b) + p.row(i) * width, p.W_Q.data() + h * matrix, width, dim,
                           heads.query.data() + ((b * p.heads() + h) * p.queries() + i) * dim);
#pragma omp for collapse(3) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        for (Index j = 0; j < p.n(); ++j) {
          const float* x = p.input_of(b) + j * width;
          const Index row = (b * p.heads() + h) * p.n() + j;
          const Index g = key_head(p, h);
          row_times_matrix(x, p.W_K.data() + g * matrix, width, dim, heads.key.data() + row * dim);
          row_times_matrix(x, p.W_V.data() + g * matrix, width, dim, heads.value.data() + row * dim);
        }
  }
  const dot_product::Output head = attend("openmp", heads);
  out.output.fill(0);
#pragma omp parallel for collapse(2) schedule(static)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i)
      for (Index h = 0; h < p.heads(); ++h)
        add_row_times_matrix(head.output.data() + ((b * p.heads() + h) * p.queries() + i) * dim, p.W_O.data() + h * dim * width,
                             dim, width, out.output.data() + (b * p.queries() + i) * width);
}

}  // namespace attention::multi_head
