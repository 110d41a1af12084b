// Beside the ladder, openblas: projections and products by the library that NumPy and SciPy call, the masked softmax with the
// vector exponential of rung 5. Blocks of 256 queries share the threads; a block multiplies with the keys that any of its
// queries sees, a rectangle, so that a causal mask saves almost half and a window of 256 keys computes 511.
#include <omp.h>

#include <algorithm>

#include "rungs/blocks.hpp"
#include "rungs/rungs.hpp"
#include "simd/finite.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::self_attention {

namespace {

/// Floats that one thread's scores take.
std::size_t scores_of(const Problem& p) {
  const Index rows = std::min(openblas_rows, p.queries());
  return static_cast<std::size_t>(rows * std::min(p.n(), p.span() + rows - 1));
}

}  // namespace

#ifdef ATTENTION_HAS_OPENBLAS
namespace {

void product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  const Index blocks = (rows + openblas_rows - 1) / openblas_rows;
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < blocks; ++block) {
    const Index first = block * openblas_rows;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<blasint>(std::min(openblas_rows, rows - first)),
                static_cast<blasint>(columns), static_cast<blasint>(depth), 1.F, a + first * depth, static_cast<blasint>(depth), b,
                static_cast<blasint>(columns), 0.F, c + first * columns, static_cast<blasint>(columns));
  }
}

void attend_block(const Problem& p, const Projected& x, float slope, Index b, Index h, QueryBlock block, tensor::Buffer& scores,
                  Output& out) {
  const Index row = p.heads() * p.dim();
  const auto stride = static_cast<blasint>(row);
  const auto dim = static_cast<blasint>(p.dim());
  const KeyRange seen = keys_of_block(p, block.first, block.count);
  const auto keys = static_cast<blasint>(seen.last - seen.first);
  const auto rows = static_cast<blasint>(block.count);
  const float* value = x.value + (b * p.n() + seen.first) * row + h * p.dim();
  float* to = out.output_of(b, h, block.first);
  if (keys > 0)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, keys, dim, 1.F,
                x.query.data() + (b * p.queries() + block.first) * row + h * p.dim(), stride,
                x.key + (b * p.n() + seen.first) * row + h * p.dim(), stride, 0.F, scores.data(), keys);
  for (Index i = 0; i < rows; ++i)
    out.lse_of(b, h)[block.first + i] = masked_softmax(p, slope, block.first + i, scores.data() + i * keys, seen.first, keys);
  if (keys > 0 && simd::all_finite(value, row, keys, p.dim())) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, dim, keys, 1.F, scores.data(), keys, value, stride, 0.F, to, stride);
    return;
  }
  if (keys == 0) {
    for (Index i = 0; i < rows; ++i) std::fill_n(to + i * row, dim, 0.F);
    return;
  }
  // 0 · NaN is NaN. The same product, with zeros for values that are not all finite; those are added where they are seen. So a
  // row that does not see them keeps its bits.
  tensor::Buffer finite(static_cast<std::size_t>(keys * p.dim()), 0.F);
  for (Index j = 0; j < keys; ++j)
    if (simd::all_finite(value + j * row, row, 1, p.dim())) std::copy_n(value + j * row, dim, finite.data() + j * p.dim());
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, dim, keys, 1.F, scores.data(), keys, finite.data(), dim, 0.F, to, stride);
  for (Index i = 0; i < rows; ++i) {
    const KeyRange own = p.keys_of(block.first + i);
    for (Index j = own.first - seen.first; j < own.last - seen.first; ++j)
      if (!simd::all_finite(value + j * row, row, 1, p.dim()))
        for (Index c = 0; c < dim; ++c) to[i * row + c] += scores[static_cast<std::size_t>(i * keys + j)] * value[j * row + c];
  }
}

}  // namespace

void openblas(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Projected x = project(p, product, true);
  const Slopes slopes(p);
  const std::vector<QueryBlock> blocks = query_blocks(p, openblas_rows);
#pragma omp parallel
  {
    tensor::Buffer scores(scores_of(p));
#pragma omp for collapse(3) schedule(dynamic)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        for (std::size_t turn = 0; turn < blocks.size(); ++turn)
          attend_block(p, x, slopes.of(h), b, h, blocks[blocks.size() - 1 - turn], scores, out);
  }
}
#endif

std::size_t openblas_workspace(const Problem& p) {
  return projection_workspace(p) + static_cast<std::size_t>(omp_get_max_threads()) * scores_of(p) * sizeof(float);
}

}  // namespace attention::self_attention
