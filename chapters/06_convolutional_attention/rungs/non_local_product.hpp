#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "simd/exp2.hpp"
#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"
#include "tensor/tensor.hpp"

namespace attention::convolutional {

using tensor::Index;

/// n rounded up to whole panels of the micro-kernel.
inline Index whole_panels(Index n) { return (n + simd::panel_columns - 1) / simd::panel_columns * simd::panel_columns; }

/// Positions that are worked on together: many strips of the micro-kernel, and whole panels.
inline constexpr Index block_positions = 128;
static_assert(block_positions % simd::panel_columns == 0);

/// Terms after which a product's sum starts anew.
inline constexpr Index product_block = 16;

/// c[rows × columns] = a[rows × depth] · b[depth × columns] (+ residual, with c's strides, where it is not null). The rows of b
/// hold whole panels: what stands beyond `columns` is read and has no effect.
inline void multiply(Index rows, Index columns, Index depth, const float* a, Index a_stride, const float* b, Index b_stride, float* c,
                     Index c_stride, const float* residual = nullptr) {
  alignas(64) float tile[simd::tile_rows * simd::panel_columns];
  for (Index j = 0; j < columns; j += simd::panel_columns)
    for (Index i = 0; i < rows; i += simd::tile_rows) {
      const Index height = std::min<Index>(simd::tile_rows, rows - i);
      const Index width = std::min<Index>(simd::panel_columns, columns - j);
      simd::multiply_strip_pairwise(height, depth, product_block, a + i * a_stride, a_stride, b + j, b_stride, tile,
                                    simd::panel_columns);
      for (Index y = 0; y < height; ++y)
        for (Index x = 0; x < width; ++x) {
          const Index at = (i + y) * c_stride + j + x;
          c[at] = tile[y * simd::panel_columns + x] + (residual ? residual[at] : 0.F);
        }
    }
}

/// One row of scores becomes its softmax, in place and with vectors. A NaN among them, or +inf, makes the row NaN.
inline void softmax_row(float* row, Index n) {
  const Index whole = n / simd::lanes * simd::lanes;
  // The ragged end is worked on in a copy padded with −inf, whose exponential is 0.
  alignas(64) float end[simd::lanes];
  std::fill(end, end + simd::lanes, -std::numeric_limits<float>::infinity());
  std::copy(row + whole, row + n, end);
  simd::Float largest = simd::load(end);
  for (Index j = 0; j < whole; j += simd::lanes) largest = simd::max(simd::load(row + j), largest);
  const simd::Float m = simd::broadcast(simd::maximum(largest));

  const simd::Float last = simd::exp(simd::load(end) - m);
  // Blocks of 1024 exponentials are summed in float32, the blocks in float64: a long row loses nothing.
  auto total = static_cast<double>(simd::sum(last));
  for (Index first = 0; first < whole; first += 1024) {
    simd::Float part = {};
    for (Index j = first; j < std::min<Index>(first + 1024, whole); j += simd::lanes) {
      const simd::Float e = simd::exp(simd::load(row + j) - m);
      simd::store(row + j, e);
      part += e;
    }
    total += static_cast<double>(simd::sum(part));
  }
  const simd::Float l = simd::broadcast(static_cast<float>(total));
  simd::store(end, last / l);
  for (Index j = 0; j < whole; j += simd::lanes) simd::store(row + j, simd::load(row + j) / l);
  std::copy(end, end + (n - whole), row + whole);
}

}  // namespace attention::convolutional
