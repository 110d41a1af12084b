#pragma once

#include <array>

#include "rungs/line_means.hpp"
#include "rungs/scale_lines.hpp"

/// The gradients of line means and of one factor for each row and each column, by vectors.
namespace attention::convolutional {

namespace detail {

/// As add_lines: of the products of two maps, the columns' sums weighted by row_weight, the rows' by column_weight.
template <int Vectors>
inline void add_weighted_lines(const float* x, const float* y, Index height, Index width, Index count,
                               const float* row_weight, const float* column_weight, float* rows, float* columns) {
  const auto size = [count](auto v) { return v == Vectors - 1 ? count : Index{simd::lanes}; };
  simd::Float column[Vectors] = {};
  simd::Float weight[Vectors];
  simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
    weight[v] = load_up_to(column_weight + v * simd::lanes, size(v));
  });
  for (Index i = 0; i < height; ++i, x += width, y += width) {
    const simd::Float of_row = simd::broadcast(row_weight[i]);
    simd::Float row = {};
    simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
      const simd::Float product = load_up_to(x + v * simd::lanes, size(v)) * load_up_to(y + v * simd::lanes, size(v));
      column[v] += product * of_row;
      row += product * weight[v];
      __builtin_prefetch(x + v * simd::lanes + asked_ahead, 0, 2);
      __builtin_prefetch(y + v * simd::lanes + asked_ahead, 0, 2);
    });
    rows[i] += simd::sum(row);
  }
  simd::unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
    store_up_to(columns + v * simd::lanes, column[v], size(v));
  });
}

}  // namespace detail

/// rows[i] = Σ_j x_ij y_ij column_weight_j, columns[j] = Σ_i x_ij y_ij row_weight_i: both from one load of each map.
inline void weighted_line_sums(const float* x, const float* y, Index height, Index width, const float* row_weight,
                               const float* column_weight, float* rows, float* columns) {
  using Kernel = void (*)(const float*, const float*, Index, Index, Index, const float*, const float*, float*, float*);
  static constexpr std::array<Kernel, 4> kernels{detail::add_weighted_lines<1>, detail::add_weighted_lines<2>,
                                                 detail::add_weighted_lines<3>, detail::add_weighted_lines<4>};
  std::fill_n(rows, height, 0.F);
  for (Index first = 0; first < width; first += 4 * simd::lanes) {
    const Index left = std::min<Index>(width - first, 4 * simd::lanes);
    const Index vectors = (left + simd::lanes - 1) / simd::lanes;
    kernels[static_cast<std::size_t>(vectors - 1)](x + first, y + first, height, width,
                                                   left - (vectors - 1) * simd::lanes, row_weight,
                                                   column_weight + first, rows, columns + first);
  }
}

/// Floats of scratch memory that combine_lines takes.
inline Index combine_lines_scratch(Index width) { return 2 * (width + simd::lanes); }

/// to_ij = row_i · column_j · x_ij + more_row_i + more_column_j. With `past_caches` the output goes to memory directly.
template <bool past_caches>
inline void combine_lines(const float* x, Index height, Index width, const float* row, const float* column,
                          const float* more_row, const float* more_column, float* scratch, float* to) {
  if (width < simd::lanes) {
    for (Index i = 0; i < height; ++i)
#pragma omp simd
      for (Index j = 0; j < width; ++j)
        to[i * width + j] = x[i * width + j] * row[i] * column[j] + more_row[i] + more_column[j];
    return;
  }
  float* more_scratch = scratch + width + simd::lanes;
  LineWalk::lay_out(column, width, scratch);
  LineWalk::lay_out(more_column, width, more_scratch);
  LineWalk walk(height, width);
  const auto combined = [&](Index at, Index count) __attribute__((always_inline)) {
    const simd::Float value = walk.of_rows(row) * walk.of_columns(scratch) * load_up_to(x + at, count) +
                              (walk.of_rows(more_row) + walk.of_columns(more_scratch));
    walk.advance(count);
    return value;
  };
  walk_places<past_caches>(height * width, to, combined);
}

}  // namespace attention::convolutional
