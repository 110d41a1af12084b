#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "simd/micro_kernel.hpp"

namespace attention::simd {

/// The tile where A can be laid out for it: 8 rows × 3 vectors, again 24 sums, 3 vectors of B and one broadcast of A in 32
/// registers (4 × 3 in 16). It loads 11 vectors for 24 multiply-adds.
inline constexpr int interleaved_rows = lanes == 16 ? 8 : 4;
inline constexpr int interleaved_vectors = 3;

/// C[strips · Rows × Vectors] = A · B, or scale · C + A · B with one factor a column, tile after tile; a tile stays in registers.
///
/// A's rows are interleaved, Rows of them in a strip: word i of term k stands at a[k · a_step + i], so that one pointer finds all of
/// them; with a pointer a row, their addresses would take more registers than there are. The next strip is `a_strip` words on. A
/// row of B and of C is Vectors vectors long, one row after the other. What the words hold, `Terms` says (FloatTerms).
template <int Rows, int Vectors, class Terms>
[[gnu::flatten]] void multiply_interleaved_tiles(std::ptrdiff_t strips, std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_strip,
                                                 std::ptrdiff_t a_step, const float* b, float* c, const float* scale) {
  constexpr std::ptrdiff_t width = Vectors * lanes;
  for (; strips > 0; --strips, a += a_strip, c += Rows * width) {
    Float sum[Rows][Vectors] = {};
    const float* a_k = a;
    const float* b_k = b;
    for (std::ptrdiff_t k = 0; k < depth; ++k, a_k += a_step, b_k += width)
      // Inlined by name: one lambda left as a call would keep all sums in memory.
      unrolled<Terms::parts>([&](auto part) __attribute__((always_inline)) {
        Float b_kj[Vectors];
        unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { b_kj[j] = Terms::template part_of<part>(load(b_k + j * lanes)); });
        unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
          const Float a_ik = Terms::template part_of<part>(Terms::broadcast_word(a_k + i));
          unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { Terms::add(sum[i][j], a_ik, b_kj[j]); });
        });
      });
    unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
      unrolled<Vectors>([&](auto j) __attribute__((always_inline)) {
        float* c_ij = c + i * width + j * lanes;
        store(c_ij, scale ? load(scale + j * lanes) * load(c_ij) + sum[i][j] : sum[i][j]);
      });
    });
  }
}

/// multiply_interleaved_tiles for any number of rows, in strips of interleaved_rows, and of vectors from 1 to interleaved_vectors.
template <class Terms = FloatTerms>
void multiply_interleaved(std::ptrdiff_t rows, int vectors, std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_strip,
                          std::ptrdiff_t a_step, const float* b, float* c, const float* scale) {
  using Kernel = void (*)(std::ptrdiff_t, std::ptrdiff_t, const float*, std::ptrdiff_t, std::ptrdiff_t, const float*, float*, const float*);
  static constexpr auto kernels = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Kernel, sizeof...(I)>{
        &multiply_interleaved_tiles<I % interleaved_rows + 1, I / interleaved_rows + 1, Terms>...};
  }(std::make_integer_sequence<int, interleaved_rows * interleaved_vectors>{});
  const Kernel* of_rows = kernels.data() + (vectors - 1) * interleaved_rows - 1;
  const std::ptrdiff_t strips = rows / interleaved_rows;
  const std::ptrdiff_t whole = strips * interleaved_rows;
  of_rows[interleaved_rows](strips, depth, a, a_strip, a_step, b, c, scale);
  if (whole < rows) of_rows[rows - whole](1, depth, a + strips * a_strip, a_strip, a_step, b, c + whole * vectors * lanes, scale);
}

/// multiply_interleaved, ready to be handed on.
using MultiplyInterleaved = void (*)(std::ptrdiff_t rows, int vectors, std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_strip,
                                     std::ptrdiff_t a_step, const float* b, float* c, const float* scale);

}  // namespace attention::simd
