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

/// Floats between the copied rows of A: never a power of two, whose rows would share cache lines.
Index strip_stride(Index depth) { return depth + lanes; }

}  // namespace

Index packed_size(Index depth, Index columns) { return round_up(columns, panel_columns) * depth; }

void pack_panels(const float* b, Index stride, Index depth, Index columns, float* to) {
  for (Index j = 0; j < columns; j += panel_columns) {
    const Index width = std::min<Index>(panel_columns, columns - j);
    float* panel = to + j * depth;
    for (Index k = 0; k < depth; ++k) {
      std::copy_n(b + k * stride + j, width, panel + k * panel_columns);
      std::fill_n(panel + k * panel_columns + width, panel_columns - width, 0.F);
    }
  }
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
        multiply_strip<Into::replace>(strip, depth, product_block, scratch + i * stride, stride, packed_b + j * depth,
                                      panel_columns, whole ? to : tile, whole ? c_stride : panel_columns);
        if (!whole)
          for (Index y = 0; y < strip; ++y) std::copy_n(tile + y * panel_columns, width, to + y * c_stride);
      }
    }
  }
}

void multiply_packed_parallel(Index rows, Index columns, Index depth, const float* a, Index a_stride, const float* packed_b,
                              float* c, Index c_stride) {
#pragma omp parallel
  {
    tensor::Buffer scratch(static_cast<std::size_t>(product_scratch(depth)));
#pragma omp for schedule(dynamic)
    for (Index i = 0; i < rows; i += block_rows)
      multiply_packed(std::min(block_rows, rows - i), columns, depth, a + i * a_stride, a_stride, packed_b, c + i * c_stride,
                      c_stride, scratch.data());
  }
}

std::size_t parallel_product_workspace(Index depth) {
  return static_cast<std::size_t>(omp_get_max_threads() * product_scratch(depth)) * sizeof(float);
}

}  // namespace attention::simd
