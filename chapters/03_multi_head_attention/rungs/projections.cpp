#include "rungs/projections.hpp"

#include <algorithm>
#include <vector>

namespace attention::multi_head {

namespace {

tensor::UnsetBuffer buffer(Index floats) { return tensor::UnsetBuffer(static_cast<std::size_t>(floats)); }

/// rows · [parts side by side], one product.
tensor::UnsetBuffer times(const float* rows, Index count, Index width, const std::vector<const Tensor<3>*>& parts, Index columns) {
  // The matrix [width, columns] whose blocks of columns are the heads' [width, dim].
  std::vector<simd::ColumnBlock> blocks;
  for (const Tensor<3>* part : parts) {
    const Index dim = tensor::extent(*part, 2);
    for (Index h = 0; h < tensor::extent(*part, 0); ++h) blocks.push_back({part->data() + h * width * dim, dim, dim});
  }
  auto panels = buffer(simd::packed_size(width, columns));
  simd::pack_panels(blocks, width, panels.data());
  auto to = buffer(count * columns);
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
  auto asked = buffer(p.batch() * p.queries() * width);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i)
      std::copy_n(p.input_of(b) + p.row(i) * width, width, asked.data() + (b * p.queries() + i) * width);
  to.queries = times(asked.data(), p.batch() * p.queries(), width, {&p.W_Q}, query_columns);
  return to;
}

void project_output(const Problem& p, const float* heads, Index stride, Output& out) {
  const Index depth = p.heads() * p.dim();
  auto panels = buffer(simd::packed_size(depth, p.width()));
  simd::pack_panels(p.W_O.data(), p.width(), depth, p.width(), panels.data());
  simd::multiply_packed_parallel(p.batch() * p.queries(), p.width(), depth, heads, stride, panels.data(), out.output.data(),
                                 p.width());
}

std::size_t projections_workspace(const Problem& p) {
  const Index columns = (p.heads() + 2 * p.key_heads()) * p.dim();
  const Index weights = simd::packed_size(p.width(), columns);
  const Index apart = p.rows.empty() ? 0 : p.batch() * p.queries() * (p.heads() * p.dim() + p.width());
  const Index results = p.batch() * p.n() * columns + apart;
  return static_cast<std::size_t>(weights + results) * sizeof(float) + simd::parallel_product_workspace(p.width());
}

}  // namespace attention::multi_head
