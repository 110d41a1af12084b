#pragma once

#include <cstddef>

#include "simd/vector.hpp"

namespace attention::simd {

namespace detail {
template <int... I>
[[gnu::always_inline]] inline Float interleave_low(Float a, Float b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I % 2 == 0 ? I / 2 : lanes + I / 2)...);
}
template <int... I>
[[gnu::always_inline]] inline Float interleave_high(Float a, Float b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I % 2 == 0 ? lanes / 2 + I / 2 : lanes + lanes / 2 + I / 2)...);
}
}  // namespace detail

/// Transposes a lanes × lanes square in registers: to[j * to_stride + i] = from[i * from_stride + j].
/// log2(lanes) perfect shuffles of all rows bring every element to its place.
inline void transpose_square(const float* from, std::ptrdiff_t from_stride, float* to, std::ptrdiff_t to_stride) {
  constexpr auto all = std::make_integer_sequence<int, lanes>{};
  Float row[lanes];
  unrolled<lanes>([&](auto i) { row[i] = load(from + i * from_stride); });
  for (int round = 1; round < lanes; round *= 2) {
    Float next[lanes];
    unrolled<lanes / 2>([&](auto i) {
      next[2 * i] = detail::interleave_low(row[i], row[i + lanes / 2], all);
      next[2 * i + 1] = detail::interleave_high(row[i], row[i + lanes / 2], all);
    });
    unrolled<lanes>([&](auto i) { row[i] = next[i]; });
  }
  unrolled<lanes>([&](auto i) { store(to + i * to_stride, row[i]); });
}

/// Transposes rows × columns, any sizes: to[j * to_stride + i] = from[i * from_stride + j].
inline void transpose(const float* from, std::ptrdiff_t from_stride, std::ptrdiff_t rows, std::ptrdiff_t columns,
                      float* to, std::ptrdiff_t to_stride) {
  const std::ptrdiff_t whole_rows = rows / lanes * lanes;
  const std::ptrdiff_t whole_columns = columns / lanes * lanes;
  for (std::ptrdiff_t i = 0; i < whole_rows; i += lanes)
    for (std::ptrdiff_t j = 0; j < whole_columns; j += lanes)
      transpose_square(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * to_stride + i] = from[i * from_stride + j];
}

}  // namespace attention::simd
