// Rung 5, simd: chapter 2's register-blocked products for the heads as well.
//
// What changed: one word. All products now run through the micro-kernel; the weights of all heads are still stored.
#include "rungs/heads.hpp"
#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"
#include "rungs/split.hpp"

namespace attention::multi_head {

void simd(const Problem& p, Output& out) {
  prepare(p, out);
  const dot_product::Output head = attend("simd", split(p, project(p)));
  project_output(p, concatenate(p, head).data(), out);
}

std::size_t simd_workspace(const Problem& p) {
  return projections_workspace(p) + heads_workspace(p, true) +
         static_cast<std::size_t>(2 * p.batch() * p.heads() * p.n() * p.dim()) * sizeof(float);
}

}  // namespace attention::multi_head
