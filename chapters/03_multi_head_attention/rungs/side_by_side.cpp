#include "rungs/side_by_side.hpp"

#include <algorithm>

#include "rungs/backward_heads.hpp"
#include "simd/matrix_product.hpp"
#include "simd/transpose.hpp"

namespace attention::multi_head {

namespace {

tensor::UnsetBuffer buffer(Index floats) { return tensor::UnsetBuffer(static_cast<std::size_t>(floats)); }

/// Head h's columns of [rows × columns], from column `first` on, stand in [batch, heads, n, dim]: one becomes the other.
struct Columns {
  float* side_by_side;
  Index stride;
  Index first;
};

void gather(const BackwardProblem& p, const Tensor<4>& from, Columns to) {
#pragma omp parallel for collapse(2)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.n(); ++i)
      for (Index h = 0; h < p.head_count(); ++h)
        std::copy_n(from.data() + row_of(p, b, h, i), p.dim(), to.side_by_side + (b * p.n() + i) * to.stride + to.first + h * p.dim());
}

void scatter(const BackwardProblem& p, Columns from, Tensor<4>& to) {
#pragma omp parallel for collapse(2)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.n(); ++i)
      for (Index h = 0; h < p.head_count(); ++h)
        std::copy_n(from.side_by_side + (b * p.n() + i) * from.stride + from.first + h * p.dim(), p.dim(), to.data() + row_of(p, b, h, i));
}

/// Rows of [rows × columns] that are turned round together.
constexpr Index block = 64;

/// Floats from one row of the transpose to the next: never a power of two, whose rows would share cache lines.
Index transposed_stride(Index rows) { return rows + simd::lanes; }

/// [rows × columns] becomes its transpose.
tensor::UnsetBuffer transposed(const float* from, Index rows, Index columns) {
  const Index stride = transposed_stride(rows);
  auto to = buffer(columns * stride);
#pragma omp parallel for
  for (Index i = 0; i < rows; i += block)
    simd::transpose(from + i * columns, columns, std::min(block, rows - i), columns, to.data() + i, stride);
  return to;
}

}  // namespace

void backward_side_by_side(const BackwardProblem& p, std::string_view head_rung, Product product, BackwardOutput& out) {
  prepare(p, out);
  const Index rows = p.rows();
  const Index width = p.width();
  const Index columns = p.columns();
  dot_product::BackwardProblem heads = p.heads;
  {
    // dH = dY W_Oᵀ, dW_O = Hᵀ dY
    auto side = buffer(rows * columns);
    product(rows, columns, width, {p.output_gradient.data()}, {p.W_O.data(), true}, side.data());
    scatter(p, {side.data(), columns, 0}, heads.output_gradient);
    gather(p, heads.output, {side.data(), columns, 0});
    product(columns, width, rows, {side.data(), true}, {p.output_gradient.data()}, out.W_O.data());
  }
  const dot_product::BackwardOutput gradients = backward_of_heads(head_rung, heads);

  // [dQ | dK | dV] and [W_Q | W_K | W_V]
  const Index all = 3 * columns;
  auto side = buffer(rows * all);
  auto weights = buffer(width * all);
  const auto projections = projection_gradients(p, gradients, out);
  const auto each_row_of_weights = [&](auto copy) {
    for (std::size_t m = 0; m < projections.size(); ++m)
      for (Index h = 0; h < p.head_count(); ++h)
        for (Index w = 0; w < width; ++w) copy(m, (h * width + w) * p.dim(), w * all + static_cast<Index>(m) * columns + h * p.dim());
  };
  for (std::size_t m = 0; m < projections.size(); ++m) gather(p, *projections[m].from, {side.data(), all, static_cast<Index>(m) * columns});
  each_row_of_weights([&](std::size_t m, Index own, Index beside) { std::copy_n(projections[m].W->data() + own, p.dim(), weights.data() + beside); });
  // dX = [dQ | dK | dV] [W_Q | W_K | W_V]ᵀ
  product(rows, width, all, {side.data()}, {weights.data(), true}, out.input.data());
  // [dW_Q | dW_K | dW_V] = Xᵀ [dQ | dK | dV]
  product(width, all, rows, {p.input.data(), true}, {side.data()}, weights.data());
  each_row_of_weights([&](std::size_t m, Index own, Index beside) { std::copy_n(weights.data() + beside, p.dim(), projections[m].to->data() + own); });
}

std::size_t side_by_side_workspace(const BackwardProblem& p, std::string_view head_rung) {
  return backward_heads_workspace(head_rung, p) + static_cast<std::size_t>(3 * p.columns() * (p.rows() + p.width())) * sizeof(float);
}

void blocked_product(Index rows, Index columns, Index depth, Factor a, Factor b, float* c) {
  auto panels = buffer(simd::packed_size(depth, columns));
  if (b.transposed) {
    const auto turned = transposed(b.data, columns, depth);
    simd::pack_panels(turned.data(), transposed_stride(columns), depth, columns, panels.data());
  } else {
    simd::pack_panels(b.data, columns, depth, columns, panels.data());
  }
  if (a.transposed) {
    const auto turned = transposed(a.data, depth, rows);
    simd::multiply_packed_parallel(rows, columns, depth, turned.data(), transposed_stride(depth), panels.data(), c, columns);
  } else {
    simd::multiply_packed_parallel(rows, columns, depth, a.data, depth, panels.data(), c, columns);
  }
}

std::size_t blocked_product_workspace(const BackwardProblem& p) {
  // The largest: [dQ | dK | dV] in panels and X transposed.
  const Index floats = simd::packed_size(p.rows(), 3 * p.columns()) + p.width() * transposed_stride(p.rows());
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace attention::multi_head
