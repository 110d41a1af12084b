#pragma once

#include "simd/transpose.hpp"

namespace attention::simd {

/// Lane i of the result combines all lanes of row[i]: lanes − 1 combinations where each row alone would take log2(lanes). Two rows
/// become one by shuffles that bring their halves side by side, then two of those, and so on; the pairs are chosen so that
/// the order of the rows comes out. A row's result does not depend on what the others hold.
template <class Combine>
[[gnu::always_inline]] inline Float reduce_rows(const Float (&row)[lanes], Combine combine) {
  constexpr auto all = std::make_integer_sequence<int, lanes>{};
  Float left[lanes];
  unrolled<lanes>([&](auto i) __attribute__((always_inline)) { left[i] = row[i]; });
  for (int many = lanes / 2; many > 0; many /= 2)
    for (int i = 0; i < many; ++i)
      left[i] = combine(detail::interleave_low(left[i], left[i + many], all), detail::interleave_high(left[i], left[i + many], all));
  return left[0];
}

}  // namespace attention::simd
