// Rung 2, loops: the same three lines as plain loops over contiguous memory.
//
// What changed: row pointers instead of expressions. The output loop runs key by key, so that V is read along its rows.
// What stays slow: a dot product is one chain of additions, each waiting for the last (four cycles), and the compiler may
// not reorder floating-point sums to break it up.

#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::dot_product {

void loops(const Problem& p, Output& out) {
  prepare(p, out, true);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) attend_row(p, b, h, i, out);
}

}  // namespace attention::dot_product
