#pragma once

#include <algorithm>

#include "rungs/packing.hpp"
#include "simd/interleaved_tile.hpp"

namespace attention::dot_product {

/// How many queries the fused rung's micro-kernel takes at a time: a query a lane, one vector beside the other.
inline constexpr Index band_queries = simd::interleaved_vectors * simd::lanes;

/// And how many keys: the scores of a band with them stay in the nearest cache.
inline constexpr Index near_keys = 64;

/// A matrix as the micro-kernel wants its left factor: rows in strips of interleaved_rows, and word k of all rows of a strip side by
/// side. A matrix that lies transposed in memory is such a one as it is. (Where it is not worth the while, rows may also stand
/// apart, `row` words from one to the next.)
struct Interleaved {
  const float* data = nullptr;
  Index strip = 0;  ///< words from one strip to the next
  Index step = 0;   ///< … from one term to the next
  Index row = 1;    ///< … from one row of a strip to the next

  /// Word k of row i.
  const float* at(Index i, Index k) const {
    return data + i / simd::interleaved_rows * strip + i % simd::interleaved_rows * row + k * step;
  }
};

/// The rows of a matrix where they lie.
inline Interleaved rows_in_place(Matrix from) { return {from.data, simd::interleaved_rows * from.stride, 1, from.stride}; }

/// Floats that interleave_rows writes.
inline Index interleaved_size(Index rows, Index words) { return round_up(rows, simd::interleaved_rows) * words; }

/// The rows of a matrix, each of `words` words, interleaved in `to`. Squares are transposed in registers.
inline Interleaved interleave_rows(Matrix from, Index rows, Index words, float* to) {
  constexpr Index height = simd::interleaved_rows;
  const Interleaved interleaved{to, height * words, height};
  Index i = 0;
  for (; i + simd::lanes <= rows; i += simd::lanes) {
    Index k = 0;
    for (; k + simd::lanes <= words; k += simd::lanes) {
      alignas(64) float square[simd::lanes * simd::lanes];
      simd::transpose_square(from.from_row(i).data + k, from.stride, square, simd::lanes);
      for (Index strip = 0; strip < simd::lanes; strip += height)
        for (Index x = 0; x < simd::lanes; ++x)
          std::copy_n(square + x * simd::lanes + strip, height, to + (i + strip) * words + (k + x) * height);
    }
    for (; k < words; ++k)
      for (Index y = 0; y < simd::lanes; ++y) to[(i + y) / height * interleaved.strip + k * height + y % height] = from.from_row(i + y).data[k];
  }
  for (; i < rows; ++i)
    for (Index k = 0; k < words; ++k) to[i / height * interleaved.strip + k * height + i % height] = from.from_row(i).data[k];
  return interleaved;
}

/// The transpose of a matrix, where it lies: its columns are the rows.
inline Interleaved interleaved_columns(Matrix from) { return {from.data, simd::interleaved_rows, from.stride}; }

/// The same, copied strip after strip, for a matrix whose rows lie so far apart that they fight for the same few cache lines.
inline Interleaved copy_columns(Matrix from, Index terms, Index columns, float* to) {
  constexpr Index height = simd::interleaved_rows;
  for (Index k = 0; k < terms; ++k) {
    const float* row = from.from_row(k).data;
    Index c = 0;
    for (; c + height <= columns; c += height) std::copy_n(row + c, height, to + c * terms + k * height);
    std::copy_n(row + c, columns - c, to + c * terms + k * height);
  }
  return {to, height * terms, height};
}

/// Longest rows of V, side by side, that are read where they are: a block of them stays in the nearest cache.
inline constexpr Index near_columns = 128;
inline bool values_fit_in_place(Index stride, Index value_dim) { return stride == value_dim && value_dim <= near_columns; }

}  // namespace attention::dot_product
