#pragma once

#include <algorithm>

#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"
#include "tensor/tensor.hpp"

namespace attention::dot_product {

using tensor::Index;

/// A matrix whose rows lie `stride` elements apart.
struct Matrix {
  const float* data = nullptr;
  Index stride = 0;

  Matrix from_row(Index i) const { return {data + i * stride, stride}; }
};

/// n rounded up to a multiple of `unit`.
inline Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// A score is summed in blocks of so many terms, see multiply_tile.
inline constexpr Index depth_block = 32;

/// And an output in blocks of so many keys.
inline constexpr Index values_block = 32;

/// Floats that pack_keys writes.
inline Index packed_keys_size(Index keys, Index dim) { return round_up(keys, simd::panel_columns) * dim; }

/// K becomes panels of the micro-kernel's width, each transposed: to[panel][dim][panel_columns], so that the kernel reads
/// its vectors one after the other. The last panel is filled with zeros. Keys are `stride` floats apart.
inline void pack_keys(const float* key, Index stride, Index keys, Index dim, float* to) {
  for (Index j = 0; j < keys; j += simd::panel_columns) {
    const Index columns = std::min<Index>(simd::panel_columns, keys - j);
    float* panel = to + j * dim;
    if (columns < simd::panel_columns) std::fill(panel, panel + dim * simd::panel_columns, 0.F);
    simd::transpose(key + j * stride, stride, columns, dim, panel, simd::panel_columns);
  }
}

/// Whether V can be read where it is: its rows are a whole number of units (vectors, or panels), side by side. Rows that lie
/// apart, as the columns of a wider matrix do, would fight for the same few cache lines.
inline bool values_fit(Index stride, Index value_dim, Index unit) { return stride == value_dim && value_dim % unit == 0; }

/// V with its rows side by side, padded with zeros to whole units; where they are so already, V itself.
inline Matrix pad_values(const float* value, Index stride, Index keys, Index value_dim, Index unit, float* to) {
  const Index padded = round_up(value_dim, unit);
  if (values_fit(stride, value_dim, unit)) return {value, stride};
  for (Index j = 0; j < keys; ++j) {
    std::copy(value + j * stride, value + j * stride + value_dim, to + j * padded);
    std::fill(to + j * padded + value_dim, to + (j + 1) * padded, 0.F);
  }
  return {to, padded};
}

}  // namespace attention::dot_product
