#pragma once

#include <array>

#include "rungs/places.hpp"

/// Means of a map along both its axes, from one load of each place.
namespace attention::convolutional {

namespace detail {

/// `Vectors` vectors of columns, of which the last has `count` lanes: their sums stay in registers while the rows pass. rows[i] grows
/// by row i's sum over these columns.
template <int Vectors>
inline void add_lines(const float* x, Index height, Index width, Index count, float* rows, float* columns) {
  simd::Float column[Vectors] = {};
  for (Index i = 0; i < height; ++i, x += width) {
    simd::Float row = load_up_to(x + (Vectors - 1) * simd::lanes, count);
    column[Vectors - 1] += row;
    simd::unrolled<Vectors - 1>([&](auto v) __attribute__((always_inline)) {
      const simd::Float value = simd::load(x + v * simd::lanes);
      column[v] += value;
      row += value;
      __builtin_prefetch(x + v * simd::lanes + asked_ahead, 0, 2);
    });
    __builtin_prefetch(x + (Vectors - 1) * simd::lanes + asked_ahead, 0, 2);
    rows[i] += simd::sum(row);
  }
  simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
    store_up_to(columns + v * simd::lanes, column[v], v == Vectors - 1 ? count : simd::lanes);
  });
}

}  // namespace detail

/// rows[i] = 1/W Σ_j x_ij, columns[j] = 1/H Σ_i x_ij.
inline void line_means(const float* x, Index height, Index width, float* rows, float* columns) {
  using Kernel = void (*)(const float*, Index, Index, Index, float*, float*);
  static constexpr std::array<Kernel, 4> kernels{detail::add_lines<1>, detail::add_lines<2>, detail::add_lines<3>, detail::add_lines<4>};
  std::fill_n(rows, height, 0.F);
  for (Index first = 0; first < width; first += 4 * simd::lanes) {
    const Index left = std::min<Index>(width - first, 4 * simd::lanes);
    const Index vectors = (left + simd::lanes - 1) / simd::lanes;
    kernels[static_cast<std::size_t>(vectors - 1)](x + first, height, width, left - (vectors - 1) * simd::lanes, rows, columns + first);
  }
#pragma omp simd
  for (Index i = 0; i < height; ++i) rows[i] /= static_cast<float>(width);
#pragma omp simd
  for (Index j = 0; j < width; ++j) columns[j] /= static_cast<float>(height);
}

}  // namespace attention::convolutional
