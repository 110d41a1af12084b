// Rung 2, loops: plain loops over contiguous memory, and over what is seen only.
//
// What changed: the mask became the bounds of a loop. A masked key is not computed and thrown away; it is not looked at. A
// causal mask so halves the work, and a window makes it linear in n. Nothing has to be set to −inf, and what a masked key holds
// cannot matter. Rows of weights are stored from the first key seen: with a window they are short.
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

void product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  for (Index i = 0; i < rows; ++i) multiply_row(a + i * depth, depth, b, columns, c + i * columns);
}

}  // namespace

void loops(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Projected x = project(p, product, false);
  const Slopes slopes(p);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) attend_row(p, x, slopes.of(h), b, h, i, out);
}

std::size_t weights_workspace(const Problem& p) {
  return projection_workspace(p) + static_cast<std::size_t>(p.batch() * p.heads() * p.queries() * p.span()) * sizeof(float);
}

}  // namespace attention::self_attention
