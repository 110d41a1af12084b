#pragma once

#include <array>

#include "simd/vector.hpp"

/// Winograd's minimal algorithms for a 3-tap filter (Lavin and Gray 2016, section 4): m outputs y of one row are
///
///     y = Aᵀ [ (G g) ⊙ (Bᵀ d) ],   g the filter's 3 taps, d the m + 2 pixels that they see
///
/// with m + 2 products in the place of 3 m. For a square of m × m outputs each matrix is applied to rows and columns.
namespace attention::convolutional {

template <int Rows, int Columns>
using Coefficients = std::array<std::array<float, Columns>, Rows>;

template <int Outputs>
struct WinogradTransforms;

/// F(2 × 2, 3 × 3): 16 products for 4 outputs of 9 taps.
template <>
struct WinogradTransforms<2> {
  static constexpr Coefficients<4, 4> of_input{{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}};  // Bᵀ
  static constexpr Coefficients<4, 3> of_filter{{{1, 0, 0}, {.5F, .5F, .5F}, {.5F, -.5F, .5F}, {0, 0, 1}}};   // G
  static constexpr Coefficients<2, 4> of_products{{{1, 1, 1, 0}, {0, 1, -1, -1}}};                            // Aᵀ
};

/// F(4 × 4, 3 × 3): 36 products for 16 outputs of 9 taps.
template <>
struct WinogradTransforms<4> {
  static constexpr Coefficients<6, 6> of_input{{{4, 0, -5, 0, 1, 0},
                                                {0, -4, -4, 1, 1, 0},
                                                {0, 4, -4, -1, 1, 0},
                                                {0, -2, -1, 2, 1, 0},
                                                {0, 2, -1, -2, 1, 0},
                                                {0, 4, 0, -5, 0, 1}}};
  static constexpr Coefficients<6, 3> of_filter{{{1 / 4.F, 0, 0},
                                                 {-1 / 6.F, -1 / 6.F, -1 / 6.F},
                                                 {-1 / 6.F, 1 / 6.F, -1 / 6.F},
                                                 {1 / 24.F, 1 / 12.F, 1 / 6.F},
                                                 {1 / 24.F, -1 / 12.F, 1 / 6.F},
                                                 {0, 0, 1}}};
  static constexpr Coefficients<4, 6> of_products{
      {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}};
};

/// By how much the error of a sum grows in this basis, where pixels and weights are independent and each rounding is in
/// proportion to the sum it belongs to: the root of Σ (A_ki A_lj)² · |G_i|² |G_j|² · |B_i|² |B_j|² over the 9 of the
/// direct sum, for the output k, l for which it is largest. 5/3 for m = 2, 31 for m = 4.
template <int Outputs>
constexpr double winograd_growth() {
  using T = WinogradTransforms<Outputs>;
  double largest = 0;
  for (const auto& a : T::of_products) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      double input = 0;
      double filter = 0;
      for (const float x : T::of_input[i]) input += static_cast<double>(x) * static_cast<double>(x);
      for (const float x : T::of_filter[i]) filter += static_cast<double>(x) * static_cast<double>(x);
      sum += static_cast<double>(a[i]) * static_cast<double>(a[i]) * input * filter;
    }
    if (sum > largest) largest = sum;
  }
  return largest / 3;
}

/// Additions that a number goes through in the transforms of pixels, filter and products, both ways along: for m = 4,
/// so at most.
inline constexpr double winograd_additions = 2 * (6 + 3 + 6);

/// to[i] = Σ_j matrix[i][j] · from[j] along one line of a square: line j of `from` is from[j * from_step].
template <const auto& matrix>
[[gnu::always_inline]] inline void transform_line(const simd::Float* from, int from_step, simd::Float* to,
                                                  int to_step) {
  constexpr int rows = static_cast<int>(matrix.size());
  constexpr int columns = static_cast<int>(matrix[0].size());
  simd::unrolled<rows>([&](auto i) __attribute__((always_inline)) {
    simd::Float sum{};
    simd::unrolled<columns>([&](auto j) __attribute__((always_inline)) {
      constexpr float factor =
          matrix[static_cast<std::size_t>(decltype(i)::value)][static_cast<std::size_t>(decltype(j)::value)];
      if constexpr (factor == 1)
        sum += from[j * from_step];
      else if constexpr (factor == -1)
        sum -= from[j * from_step];
      else if constexpr (factor != 0)
        sum += simd::broadcast(factor) * from[j * from_step];
    });
    to[i * to_step] = sum;
  });
}

/// matrix · from · matrixᵀ: from a square of columns(matrix) to one of rows(matrix), row by row.
template <const auto& matrix>
[[gnu::always_inline]] inline void transform_square(const simd::Float* from, simd::Float* to) {
  constexpr int rows = static_cast<int>(matrix.size());
  constexpr int columns = static_cast<int>(matrix[0].size());
  simd::Float half[rows * columns];
  simd::unrolled<columns>([&](auto x) __attribute__((always_inline)) {
    transform_line<matrix>(from + x, columns, half + x, columns);
  });
  simd::unrolled<rows>([&](auto y) __attribute__((always_inline)) {
    transform_line<matrix>(half + y * columns, 1, to + y * rows, 1);
  });
}

}  // namespace attention::convolutional
