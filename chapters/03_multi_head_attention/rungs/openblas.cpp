// Beside the ladder, openblas: the projections and chapter 2's products by the library.
#include <algorithm>

#include "rungs/heads.hpp"
#include "rungs/rungs.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::multi_head {

#ifdef ATTENTION_HAS_OPENBLAS
namespace {

/// to [rows × columns] = (add ? to : 0) + a [rows × depth] · b [depth × columns], all side by side.
void product(Index rows, Index columns, Index depth, const float* a, const float* b, bool add, float* to) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<blasint>(rows), static_cast<blasint>(columns),
              static_cast<blasint>(depth), 1.F, a, static_cast<blasint>(depth), b, static_cast<blasint>(columns), add ? 1.F : 0.F,
              to, static_cast<blasint>(columns));
}

}  // namespace

void openblas(const Problem& p, Output& out) {
  prepare(p, out);
  const Index width = p.width();
  const Index dim = p.dim();
  const Index matrix = width * dim;
  dot_product::Problem heads = room_for_heads(p);
  tensor::Buffer asked(static_cast<std::size_t>(p.queries() * width));
  for (Index b = 0; b < p.batch(); ++b) {
    for (Index i = 0; i < p.queries(); ++i) std::copy_n(p.input_of(b) + p.row(i) * width, width, asked.data() + i * width);
    for (Index h = 0; h < p.heads(); ++h) {
      const Index place = b * p.heads() + h;
      const Index g = key_head(p, h);
      product(p.queries(), dim, width, asked.data(), p.W_Q.data() + h * matrix, false, heads.query.data() + place * p.queries() * dim);
      product(p.n(), dim, width, p.input_of(b), p.W_K.data() + g * matrix, false, heads.key.data() + place * p.n() * dim);
      product(p.n(), dim, width, p.input_of(b), p.W_V.data() + g * matrix, false, heads.value.data() + place * p.n() * dim);
    }
  }
  const dot_product::Output head = attend("openblas", heads);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      product(p.queries(), width, dim, head.output.data() + (b * p.heads() + h) * p.queries() * dim, p.W_O.data() + h * matrix,
              h > 0, out.output.data() + b * p.queries() * width);
}
#endif

std::size_t openblas_workspace(const Problem& p) {
  return heads_workspace(p, false) + static_cast<std::size_t>(p.queries() * (p.width() + 256)) * sizeof(float);
}

}  // namespace attention::multi_head
