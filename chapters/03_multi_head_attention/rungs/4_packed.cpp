// Rung 4, packed: one product X · [W_Q | W_K | W_V] instead of three for each head.
//
// What changed: the matrices of all heads stand side by side, so that X is read once; and the product is blocked for registers
// and caches (common/simd/matrix_product.hpp). Its rows are then taken apart into heads for chapter 2's rung "tiled", and the
// heads are put side by side again: a copy of everything, twice.
#include "rungs/heads.hpp"
#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"
#include "rungs/split.hpp"

namespace attention::multi_head {

void packed(const Problem& p, Output& out) {
  prepare(p, out);
  const dot_product::Output head = attend("tiled", split(p, project(p)));
  project_output(p, concatenate(p, head).data(), out);
}

std::size_t packed_workspace(const Problem& p) { return projections_workspace(p) + heads_workspace(p, true); }

}  // namespace attention::multi_head
