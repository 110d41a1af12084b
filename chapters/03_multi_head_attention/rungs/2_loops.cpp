// Rung 2, loops: head by head, row by row.
//
// What changed: a row of X times W adds up whole rows of W, so the compiler uses vectors and nothing waits for a chain of
// additions. Every row reads all of W again; and X is read once for each head and each of Q, K and V.
#include "rungs/heads.hpp"
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::multi_head {

void loops(const Problem& p, Output& out) {
  prepare(p, out);
  const Index width = p.width();
  const Index dim = p.dim();
  const Index matrix = width * dim;
  dot_product::Problem heads = room_for_heads(p);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      const Index place = b * p.heads() + h;
      const Index g = key_head(p, h);
      for (Index i = 0; i < p.queries(); ++i)
        row_times_matrix(p.input_of(b) + p.row(i) * width, p.W_Q.data() + h * matrix, width, dim,
                         heads.query.data() + (place * p.queries() + i) * dim);
      for (Index j = 0; j < p.n(); ++j) {
        const float* x = p.input_of(b) + j * width;
        row_times_matrix(x, p.W_K.data() + g * matrix, width, dim, heads.key.data() + (place * p.n() + j) * dim);
        row_times_matrix(x, p.W_V.data() + g * matrix, width, dim, heads.value.data() + (place * p.n() + j) * dim);
      }
    }
  const dot_product::Output head = attend("loops", heads);
  out.output.fill(0);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i)
        add_row_times_matrix(head.output.data() + ((b * p.heads() + h) * p.queries() + i) * dim, p.W_O.data() + h * dim * width,
                             dim, width, out.output.data() + (b * p.queries() + i) * width);
}

std::size_t loops_workspace(const Problem& p) { return heads_workspace(p, true); }

}  // namespace attention::multi_head
