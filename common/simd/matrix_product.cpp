#include "simd/matrix_product.hpp"

#include <omp.h>

#include <algorithm>

#include "simd/micro_kernel.hpp"
#include "tensor/tensor.hpp"

namespace attention::simd {

namespace {

using tensor::Index;

/// Rows of A that are copied together.
constexpr Index block_rows = 8 * tile_rows;

Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// Asks for the next panel of B while this one is used: a panel is many pages long, and at the start of each the machine's own
/// reading ahead stops.
template <int lines>
struct NextPanel {
  const float* at;  ///< where in the next panel the first of the lines of term 0 lies
  void operator()(Index k) const {
    for (int line = 0; line < lines; ++line) __builtin_prefetch(at + k * panel_columns + line * lanes, 0, 2);
  }
};

/// multiply_strip over a panel, C replaced, with `lines` vectors of the next panel asked for at each term.
template <int lines>
void multiply_asking(Index rows, Index depth, const float* a, Index a_stride, const float* panel, Index first_line, float* c, Index c_stride) {
  unrolled<tile_rows>([&](auto row) {
    if (rows == row + 1)
      multiply_tile<row + 1, tile_vectors, Into::replace, FloatTerms>(depth, product_block, a, a_stride, panel, panel_columns, c, c_stride,
                                                                      NextPanel<lines>{panel + depth * panel_columns + first_line * lanes});
  });
}

/// Floats between the copied rows of A: never a power of two, whose rows would share cache lines.
Index strip_stride(Index depth) { return depth + lanes; }

}  // namespace

Index packed_size(Index depth, Index columns) { return round_up(columns, panel_columns) * depth; }

void pack_panels(const float* b, Index stride, Index depth, Index columns, float* to) {
  const ColumnBlock whole{b, stride, columns};
  pack_panels({&whole, 1}, depth, to);
}

void pack_panels(std::span<const ColumnBlock> blocks, Index depth, float* to) {
  Index at = 0;  // column of B
  for (const ColumnBlock& block : blocks)
    for (Index from = 0; from < block.columns;) {
      // The part of the block that falls into one panel.
      const Index column = at % panel_columns;
      const Index width = std::min<Index>(panel_columns - column, block.columns - from);
      float* panel = to + (at - column) * depth + column;
      for (Index k = 0; k < depth; ++k) std::copy_n(block.data + k * block.stride + from, width, panel + k * panel_columns);
      from += width;
      at += width;
    }
  const Index last = at % panel_columns;
  if (last == 0) return;
  float* panel = to + (at - last) * depth;
  for (Index k = 0; k < depth; ++k) std::fill(panel + k * panel_columns + last, panel + (k + 1) * panel_columns, 0.F);
}

Index product_scratch(Index depth) { return block_rows * strip_stride(depth) + tile_rows * panel_columns; }

void multiply_packed(Index rows, Index columns, Index depth, const float* a, Index a_stride, const float* packed_b, float* c,
                     Index c_stride, float* scratch) {
  const Index stride = strip_stride(depth);
  float* tile = scratch + block_rows * stride;
  for (Index i0 = 0; i0 < rows; i0 += block_rows) {         // 3rd loop: blocks of A's rows, copied side by side
    const Index height = std::min(block_rows, rows - i0);
    for (Index i = 0; i < height; ++i) std::copy_n(a + (i0 + i) * a_stride, depth, scratch + i * stride);
    for (Index j = 0; j < columns; j += panel_columns) {    // 2nd loop: panels of B
      const Index width = std::min<Index>(panel_columns, columns - j);
      for (Index i = 0; i < height; i += tile_rows) {       // 1st loop: strips of A
        const Index strip = std::min<Index>(tile_rows, height - i);
        float* to = c + (i0 + i) * c_stride + j;
        // The last panel may be wider than C: then it is computed beside it.
        const bool whole = width == panel_columns;
        const float* panel = packed_b + j * depth;
        const float* a_i = scratch + i * stride;
        float* c_ij = whole ? to : tile;
        const Index step = whole ? c_stride : panel_columns;
        // A short matrix leaves little time beside a panel: its strips share the asking.
        if (j + panel_columns >= columns || i >= 2 * tile_rows)
          multiply_strip<Into::replace>(strip, depth, product_block, a_i, stride, panel, panel_columns, c_ij, step);
        else if (height <= tile_rows)
          multiply_asking<tile_vectors>(strip, depth, a_i, stride, panel, 0, c_ij, step);
        else
          multiply_asking<tile_vectors / 2>(strip, depth, a_i, stride, panel, i == 0 ? 0 : tile_vectors / 2, c_ij, step);
        if (!whole)
          for (Index y = 0; y < strip; ++y) std::copy_n(tile + y * panel_columns, width, to + y * c_stride);
      }
    }
  }
}

void multiply_packed_parallel(Index rows, Index columns, Index depth, const float* a, Index a_stride, const float* packed_b,
                              float* c, Index c_stride) {
  const Index panels = (columns + panel_columns - 1) / panel_columns;
#pragma omp parallel
  {
    tensor::UnsetBuffer scratch(static_cast<std::size_t>(product_scratch(depth)));
    const Index threads = omp_get_num_threads();
    if (rows < 4 * threads * block_rows) {  // too few blocks of rows to be shared evenly
      const Index first = omp_get_thread_num() * panels / threads * panel_columns;
      const Index last = std::min(columns, (omp_get_thread_num() + 1) * panels / threads * panel_columns);
      if (first < last)
        multiply_packed(rows, last - first, depth, a, a_stride, packed_b + first * depth, c + first, c_stride, scratch.data());
    } else {
#pragma omp for schedule(dynamic)
      for (Index i = 0; i < rows; i += block_rows)
        multiply_packed(std::min(block_rows, rows - i), columns, depth, a + i * a_stride, a_stride, packed_b, c + i * c_stride,
                        c_stride, scratch.data());
    }
  }
}

std::size_t parallel_product_workspace(Index depth) {
  return static_cast<std::size_t>(omp_get_max_threads() * product_scratch(depth)) * sizeof(float);
}

}  // namespace attention::simd
