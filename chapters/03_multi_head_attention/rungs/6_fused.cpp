// Rung 6, fused: no weights are stored, and no head is taken apart or put together.
//
// What changed: chapter 2's fused kernel is told where the rows lie. A head's Q, K and V are columns of the one product, so
// the copy of every head falls away. A block of queries is read once and then no more: its output takes its place, and Q's
// columns become the concatenation. Shared key heads are read where they are instead of being repeated.
#include "rungs/columns.hpp"
#include "rungs/rungs.hpp"

namespace attention::multi_head {

void fused(const Problem& p, Output& out) {
  prepare(p, out);
  Projections qkv = project(p);
  dot_product::fused_attention(heads_in_columns(p, qkv));
  project_output(p, qkv.all.data(), qkv.columns, out);
}

std::size_t fused_workspace(const Problem& p) {
  return projections_workspace(p) + dot_product::fused_attention_workspace(fused_sizes(p));
}

}  // namespace attention::multi_head
