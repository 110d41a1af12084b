#include "rungs/projections.hpp"

#include <algorithm>
#include <vector>

namespace attention::multi_head {

namespace {

/// W [heads, width, dim] as one matrix [width, heads · dim] beside others: row w of it begins at to + w · stride.
void set_side_by_side(const Tensor<3>& W, float* to, Index stride) {
  const Index width = tensor::extent(W, 1);
  const Index dim = tensor::extent(W, 2);
  for (Index h = 0; h < tensor::extent(W, 0); ++h)
    for (Index w = 0; w < width; ++w) std::copy_n(W.data() + (h * width + w) * dim, dim, to + w * stride + h * dim);
}

tensor::Buffer buffer(Index floats) { return tensor::Buffer(static_cast<std::size_t>(floats)); }

/// rows · W, the columns of W in the order of `parts`.
tensor::Buffer times(const float* rows, Index count, Index width, const std::vector<const Tensor<3>*>& parts, Index columns) {
  tensor::Buffer W = buffer(width * columns);
  Index column = 0;
  for (const Tensor<3>* part : parts) {
    set_side_by_side(*part, W.data() + column, columns);
    column += tensor::extent(*part, 0) * tensor::extent(*part, 2);
  }
  tensor::Buffer panels = buffer(simd::packed_size(width, columns));
  simd::pack_panels(W.data(), columns, width, columns, panels.data());
  tensor::Buffer to = buffer(count * columns);
  simd::multiply_packed_parallel(count, columns, width, rows, width, panels.data(), to.data(), columns);
  return to;
}

}  // namespace

Projections project(const Problem& p) {
  const Index width = p.width();
  const Index query_columns = p.heads() * p.dim();
  const Index key_columns = p.key_heads() * p.dim();
  const bool together = p.rows.empty();
  Projections to;
  to.key_column = together ? query_columns : 0;
  to.value_column = to.key_column + key_columns;
  to.columns = to.value_column + key_columns;
  if (together) {
    to.all = times(p.input.data(), p.batch() * p.n(), width, {&p.W_Q, &p.W_K, &p.W_V}, to.columns);
    return to;
  }
  to.all = times(p.input.data(), p.batch() * p.n(), width, {&p.W_K, &p.W_V}, to.columns);
  tensor::Buffer asked = buffer(p.batch() * p.queries() * width);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i)
      std::copy_n(p.input_of(b) + p.row(i) * width, width, asked.data() + (b * p.queries() + i) * width);
  to.queries = times(asked.data(), p.batch() * p.queries(), width, {&p.W_Q}, query_columns);
  return to;
}

void project_output(const Problem& p, const float* heads, Output& out) {
  const Index depth = p.heads() * p.dim();
  tensor::Buffer panels = buffer(simd::packed_size(depth, p.width()));
  simd::pack_panels(p.W_O.data(), p.width(), depth, p.width(), panels.data());
  simd::multiply_packed_parallel(p.batch() * p.queries(), p.width(), depth, heads, depth, panels.data(), out.output.data(),
                                 p.width());
}

std::size_t projections_workspace(const Problem& p) {
  const Index columns = (p.heads() + 2 * p.key_heads()) * p.dim();
  const Index weights = p.width() * columns + simd::packed_size(p.width(), columns);
  const Index results = p.batch() * p.n() * columns + p.batch() * p.queries() * p.heads() * p.dim();
  return static_cast<std::size_t>(weights + results) * sizeof(float) + simd::parallel_product_workspace(p.width());
}

}  // namespace attention::multi_head
