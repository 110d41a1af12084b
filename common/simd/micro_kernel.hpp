#pragma once

#include <array>
#include <cstddef>

#include "simd/vector.hpp"

namespace attention::simd {

/// Columns of the micro-kernel's tile: two vectors. One panel of B is this wide.
inline constexpr int panel_columns = 2 * lanes;

/// Rows of the micro-kernel's tile. rows × 2 accumulators, 2 vectors of B and one broadcast of A fill the registers: AVX-512
/// has 32 of them, the narrower sets 16. With 24 (12) accumulators, a fused multiply-add that takes 4 cycles is always
/// ready to start.
inline constexpr int tile_rows = lanes == 16 ? 12 : 6;

/// What happens to C: it is replaced by the product, or the product is added to it. The product itself is always summed
/// from zero: additions to a small partial sum lose less than additions to a large total.
enum class Into { replace, add };

/// C[Rows × 2 vectors] = or += A[Rows × depth] · B[depth × 2 vectors]: the sums stay in registers over the whole depth.
/// A and C are row-major with their strides; row k of B's panel starts at b + k * b_stride.
template <int Rows, Into into>
[[gnu::flatten]] inline void multiply_tile(std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_stride, const float* b,
                                           std::ptrdiff_t b_stride, float* c, std::ptrdiff_t c_stride) {
  Float sum[Rows][2] = {};
  for (std::ptrdiff_t k = 0; k < depth; ++k) {
    const Float b0 = load(b + k * b_stride);
    const Float b1 = load(b + k * b_stride + lanes);
    unrolled<Rows>([&](auto i) {
      const Float a_ik = broadcast(a[i * a_stride + k]);
      sum[i][0] += a_ik * b0;
      sum[i][1] += a_ik * b1;
    });
  }
  unrolled<Rows>([&](auto i) {
    float* c_i = c + i * c_stride;
    store(c_i, into == Into::add ? load(c_i) + sum[i][0] : sum[i][0]);
    store(c_i + lanes, into == Into::add ? load(c_i + lanes) + sum[i][1] : sum[i][1]);
  });
}

/// multiply_tile for any number of rows from 1 to tile_rows: the last strip of a matrix is seldom whole.
template <Into into>
void multiply_strip(std::ptrdiff_t rows, std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_stride, const float* b,
                    std::ptrdiff_t b_stride, float* c, std::ptrdiff_t c_stride) {
  using Kernel = void (*)(std::ptrdiff_t, const float*, std::ptrdiff_t, const float*, std::ptrdiff_t, float*, std::ptrdiff_t);
  static constexpr auto kernels = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Kernel, tile_rows>{&multiply_tile<I + 1, into>...};
  }(std::make_integer_sequence<int, tile_rows>{});
  kernels[static_cast<std::size_t>(rows - 1)](depth, a, a_stride, b, b_stride, c, c_stride);
}

/// C = A · B for one strip, summed in blocks: the products of `block` terms are summed from zero, four such sums are added
/// one after the other, and longer depths are halved until four blocks are left (pairwise summation, Higham 1993). The
/// error of one long chain of additions grows with its length, this one's with the logarithm; it costs 24 additions
/// in 24 · block multiply-adds.
inline void multiply_strip_in_blocks(std::ptrdiff_t rows, std::ptrdiff_t depth, std::ptrdiff_t block, const float* a,
                                     std::ptrdiff_t a_stride, const float* b, std::ptrdiff_t b_stride, float* c,
                                     std::ptrdiff_t c_stride) {
  if (depth > 4 * block) {
    const std::ptrdiff_t half = (depth / 2 + block - 1) / block * block;
    alignas(64) float second[tile_rows * panel_columns];
    multiply_strip_in_blocks(rows, half, block, a, a_stride, b, b_stride, c, c_stride);
    multiply_strip_in_blocks(rows, depth - half, block, a + half, a_stride, b + half * b_stride, b_stride, second,
                             panel_columns);
    for (std::ptrdiff_t i = 0; i < rows; ++i)
      for (std::ptrdiff_t j = 0; j < panel_columns; j += lanes)
        store(c + i * c_stride + j, load(c + i * c_stride + j) + load(second + i * panel_columns + j));
    return;
  }
  multiply_strip<Into::replace>(rows, depth < block ? depth : block, a, a_stride, b, b_stride, c, c_stride);
  for (std::ptrdiff_t k = block; k < depth; k += block)
    multiply_strip<Into::add>(rows, depth - k < block ? depth - k : block, a + k, a_stride, b + k * b_stride, b_stride, c,
                              c_stride);
}

}  // namespace attention::simd
