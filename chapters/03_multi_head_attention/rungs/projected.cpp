// Beside the ladder, projected: a block of rows goes through all heads and at once through W_O, while it is in the cache.
//
// What changed: the order of the loops. So far a head was finished before the next began, and W_O came when all were done: the
// concatenation of all rows went out to memory and came back. Now a thread takes a block of rows, all its heads, and multiplies.
//
// The price: pieces of work are blocks of rows instead of blocks of a head's rows. So that there are enough for all threads the
// blocks are lower, and each packs the keys of every head anew. That costs more than the concatenation's way to memory.
#include <omp.h>

#include "rungs/columns.hpp"
#include "rungs/rungs.hpp"
#include "simd/matrix_product.hpp"

namespace attention::multi_head {

void projected(const Problem& p, Output& out) {
  prepare(p, out);
  Projections qkv = project(p);
  const OutputProjection times_W_O(p);
  dot_product::FusedProblem f = heads_in_columns(p, qkv);
  f.rows_done = [&](Index b, Index first, Index rows) {
    times_W_O(b * p.queries() + first, rows, qkv.all.data() + qkv.row(b, first), qkv.columns, out);
  };
  dot_product::fused_attention(f);
}

std::size_t projected_workspace(const Problem& p) {
  dot_product::FusedProblem f = fused_sizes(p);
  f.rows_done = [](Index, Index, Index) {};
  return projections_workspace(p) + dot_product::fused_attention_workspace(f) +
         static_cast<std::size_t>(simd::packed_size(p.heads() * p.dim(), p.width())) * sizeof(float);
}

}  // namespace attention::multi_head
