// Backward, beside the ladder, openblas: the four products, and chapter 2's five of every head, by the library.
#include "rungs/multi_head_backward_rungs.hpp"
#include "rungs/side_by_side.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::multi_head {

#ifdef ATTENTION_HAS_OPENBLAS
namespace {

void library_product(Index rows, Index columns, Index depth, Factor a, Factor b, float* c) {
  const auto whole = [](Index n) { return static_cast<blasint>(n); };
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, whole(rows), whole(columns),
              whole(depth), 1.F, a.data, whole(a.transposed ? rows : depth), b.data, whole(b.transposed ? depth : columns), 0.F, c,
              whole(columns));
}

}  // namespace

void backward_openblas(const BackwardProblem& p, BackwardOutput& out) { backward_side_by_side(p, "openblas", library_product, out); }

std::size_t backward_openblas_workspace(const BackwardProblem& p) { return side_by_side_workspace(p, "openblas"); }
#endif

}  // namespace attention::multi_head
