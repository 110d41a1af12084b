#pragma once

#include <array>
#include <cstddef>

#include "simd/vector.hpp"

namespace attention::simd {

/// The micro-kernel's tile: rows × vectors accumulators, a row of B and one broadcast of A fill the registers: AVX-512 has 32
/// of them, the narrower sets 16. With 24 (12) accumulators, a fused multiply-add that takes 4 cycles is always ready to
/// start. Of the tiles with as many, the square ones load least: 6 × 4 loads 10 vectors for 24 multiply-adds, 12 × 2 loads 14.
inline constexpr int tile_rows = 6;
inline constexpr int tile_vectors = lanes == 16 ? 4 : 2;

/// Columns of the tile. One panel of B is this wide.
inline constexpr int panel_columns = tile_vectors * lanes;

/// What happens to C: it is replaced by the product, or the product is added to it.
enum class Into { replace, add };

/// What the matrices A and B hold in their 32-bit words, and what a word of each adds to a sum: here, the product of two floats.
/// Words that hold several numbers are taken apart: their parts are multiplied one after the other.
struct FloatTerms {
  static constexpr int parts = 1;
  static Float broadcast_word(const float* at) { return broadcast(*at); }
  template <int part>
  static Float part_of(Float word) {
    return word;
  }
  static void add(Float& sum, Float a, Float b) { sum += a * b; }
};

/// C[Rows × Vectors] = or += A[Rows × depth] · B[depth × Vectors], columns counted in vectors, for a tile that stays in registers.
///
/// After every `block` words the sums are added to C and start again from zero: additions to a small partial sum lose less
/// than additions to a large total, and 24 additions in 24 · block multiply-adds are cheap.
/// A and C are row-major with their strides; row k of B's panel starts at b + k * b_stride. `ahead(k)`, called beside term k,
/// may ask for memory that is needed later.
template <int Rows, int Vectors, Into into, class Terms, class Ahead>
[[gnu::flatten]] inline void multiply_tile(std::ptrdiff_t depth, std::ptrdiff_t block, const float* a,
                                           std::ptrdiff_t a_stride, const float* b, std::ptrdiff_t b_stride, float* c,
                                           std::ptrdiff_t c_stride, Ahead ahead) {
  for (std::ptrdiff_t first = 0; first < depth; first += block) {
    Float sum[Rows][Vectors] = {};
    // Inlined by name: one lambda left as a call would keep all sums in memory.
    const auto add_term = [&](std::ptrdiff_t k) __attribute__((always_inline)) {
      ahead(k);
      unrolled<Terms::parts>([&](auto part) __attribute__((always_inline)) {
        Float b_k[Vectors];
        unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { b_k[j] = Terms::template part_of<part>(load(b + k * b_stride + j * lanes)); });
        unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
          const Float a_ik = Terms::template part_of<part>(Terms::broadcast_word(a + i * a_stride + k));
          unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { Terms::add(sum[i][j], a_ik, b_k[j]); });
        });
      });
    };
    const std::ptrdiff_t last = depth - first < block ? depth : first + block;
    std::ptrdiff_t k = first;
    for (; k + 1 < last; k += 2) {  // two at a time: half the counting
      add_term(k);
      add_term(k + 1);
    }
    if (k < last) add_term(k);
    const bool replace = into == Into::replace && first == 0;
    unrolled<Rows>([&](auto i) {
      unrolled<Vectors>([&](auto j) {
        float* c_ij = c + i * c_stride + j * lanes;
        store(c_ij, replace ? sum[i][j] : load(c_ij) + sum[i][j]);
      });
    });
  }
}

template <int Rows, int Vectors, Into into, class Terms>
void multiply_tile(std::ptrdiff_t depth, std::ptrdiff_t block, const float* a, std::ptrdiff_t a_stride, const float* b,
                   std::ptrdiff_t b_stride, float* c, std::ptrdiff_t c_stride) {
  multiply_tile<Rows, Vectors, into, Terms>(depth, block, a, a_stride, b, b_stride, c, c_stride, [](std::ptrdiff_t) {});
}

/// multiply_tile for any number of rows from 1 to tile_rows and of vectors from 1 to tile_vectors: the last strip of a matrix
/// is seldom whole, nor is the last panel.
template <Into into, class Terms = FloatTerms>
void multiply_strip(std::ptrdiff_t rows, std::ptrdiff_t depth, std::ptrdiff_t block, const float* a,
                    std::ptrdiff_t a_stride, const float* b, std::ptrdiff_t b_stride, float* c, std::ptrdiff_t c_stride,
                    int vectors = tile_vectors) {
  using Kernel = void (*)(std::ptrdiff_t, std::ptrdiff_t, const float*, std::ptrdiff_t, const float*, std::ptrdiff_t, float*,
                          std::ptrdiff_t);
  static constexpr auto kernels = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Kernel, sizeof...(I)>{&multiply_tile<I % tile_rows + 1, I / tile_rows + 1, into, Terms>...};
  }(std::make_integer_sequence<int, tile_rows * tile_vectors>{});
  kernels[static_cast<std::size_t>((vectors - 1) * tile_rows + rows - 1)](depth, block, a, a_stride, b, b_stride, c, c_stride);
}

/// multiply_strip, ready to be handed on.
using MultiplyStrip = void (*)(std::ptrdiff_t rows, std::ptrdiff_t depth, std::ptrdiff_t block, const float* a,
                               std::ptrdiff_t a_stride, const float* b, std::ptrdiff_t b_stride, float* c,
                               std::ptrdiff_t c_stride, int vectors);
struct StripKernels {
  MultiplyStrip replace;
  MultiplyStrip add;
};
template <class Terms>
constexpr StripKernels strip_kernels() {
  return {&multiply_strip<Into::replace, Terms>, &multiply_strip<Into::add, Terms>};
}

/// C = A · B for one strip and a long depth: it is halved until at most eight blocks are left, and the halves are added
/// (pairwise summation, Higham 1993). The error of one long chain of additions grows with its length, this one's with the
/// logarithm.
inline void multiply_strip_pairwise(std::ptrdiff_t rows, std::ptrdiff_t depth, std::ptrdiff_t block, const float* a,
                                    std::ptrdiff_t a_stride, const float* b, std::ptrdiff_t b_stride, float* c,
                                    std::ptrdiff_t c_stride) {
  if (depth <= 8 * block)
    return multiply_strip<Into::replace>(rows, depth, block, a, a_stride, b, b_stride, c, c_stride);
  const std::ptrdiff_t half = (depth / 2 + block - 1) / block * block;
  alignas(64) float second[tile_rows * panel_columns];
  multiply_strip_pairwise(rows, half, block, a, a_stride, b, b_stride, c, c_stride);
  multiply_strip_pairwise(rows, depth - half, block, a + half, a_stride, b + half * b_stride, b_stride, second,
                          panel_columns);
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < panel_columns; j += lanes)
      store(c + i * c_stride + j, load(c + i * c_stride + j) + load(second + i * panel_columns + j));
}

}  // namespace attention::simd
