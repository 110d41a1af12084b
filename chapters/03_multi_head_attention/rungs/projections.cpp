#include "rungs/projections.hpp"

#include <algorithm>
#include <vector>

namespace attention::multi_head {

namespace {

tensor::UnsetBuffer buffer(Index floats) { return tensor::UnsetBuffer(static_cast<std::size_t>(floats)); }

/// The heads' matrices [width, dim], one beside the other.
std::vector<simd::ColumnBlock> side_by_side(const std::vector<const Tensor<3>*>& weights) {
  std::vector<simd::ColumnBlock> blocks;
  for (const Tensor<3>* W : weights)
    for (Index h = 0; h < tensor::extent(*W, 0); ++h) {
      const Index dim = tensor::extent(*W, 2);
      blocks.push_back({W->data() + h * tensor::extent(*W, 1) * dim, dim, dim});
    }
  return blocks;
}

}  // namespace

Projections project(const Problem& p) {
  const Index width = p.width();
  const Index query_columns = p.heads() * p.dim();
  const Index key_columns = p.key_heads() * p.dim();
  const Index rows = p.batch() * p.queries();
  Projections to{{}, p.queries(), p.dim(), query_columns + 2 * key_columns, query_columns, query_columns + key_columns};
  to.all = buffer(rows * to.columns);

  auto asked = buffer(p.sampled() ? rows * width : 0);
  for (Index b = 0; p.sampled() && b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i)
      std::copy_n(p.input_of(b) + p.row(i) * width, width, asked.data() + (b * p.queries() + i) * width);

  auto panels = buffer(simd::packed_size(width, to.columns));
  simd::pack_panels(side_by_side({&p.W_Q, &p.W_K, &p.W_V}), width, panels.data());
  simd::multiply_packed_parallel(rows, to.columns, width, p.sampled() ? asked.data() : p.input.data(), width, panels.data(),
                                 to.all.data(), to.columns);
  return to;
}

OutputProjection::OutputProjection(const Problem& p)
    : depth_(p.heads() * p.dim()), width_(p.width()), panels_(buffer(simd::packed_size(depth_, width_))) {
  simd::pack_panels(p.W_O.data(), width_, depth_, width_, panels_.data());
}

void OutputProjection::operator()(Index first, Index rows, const float* heads, Index stride, Output& out) const {
  simd::multiply_packed(rows, width_, depth_, heads, stride, panels_.data(), out.output.data() + first * width_, width_);
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
  const Index asked = p.sampled() ? p.width() : 0;
  const Index floats = simd::packed_size(p.width(), columns) + p.batch() * p.queries() * (columns + asked);
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace attention::multi_head
