#include "simd/matrix_product.hpp"

#include <omp.h>

#include <algorithm>

#include "simd/micro_kernel.hpp"
#include "tensor/tensor.hpp"

namespace attention::simd {

namespace {

using tensor::Index;

/// Rows of A that pass over a panel, and terms at a time: 400 KB of A, less than a second-level cache, so that every panel of B that
/// is fetched serves many rows. They are read where they lie: copied together first, products took up to 5 % longer, however far apart the
/// rows were; only at a depth of 64 they gained as much (AVX-512, 2 MB of second-level cache).
constexpr Index block_rows = 32 * tile_rows;
constexpr Index block_depth = 2 * product_block;

Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// Floats of a cache line, and lines of a row of a panel.
constexpr Index line = 64 / sizeof(float);
constexpr Index lines_of_row = std::max<Index>(1, panel_columns / line);

/// Terms by which few strips ask ahead within a panel.
constexpr Index asked_ahead = 32;

/// Asks for `lines` lines beside each term: a panel that a strip meets for the first time comes from far away, and the machine's own
/// reading ahead stops at every page. `level`: 3 for the first cache, 2 for the second.
template <Index lines, int level>
struct AskAhead {
  const float* at;
  // Inlined by name: a function that returns nothing and stores nothing is dropped by g++ 12, requests and all.
  [[gnu::always_inline]] void operator()(Index k) const {
    for (Index l = 0; l < lines; ++l) __builtin_prefetch(at + (k * lines + l) * line, 0, level);
  }
};

/// A strip of A over a part of a panel of B.
struct Strip {
  Index rows, depth;
  const float* a;
  Index a_stride;
  const float* b;
  float* c;
  Index c_stride;
};

template <Into into>
void multiply(const Strip& s) {
  multiply_strip<into>(s.rows, s.depth, product_block, s.a, s.a_stride, s.b, panel_columns, s.c, s.c_stride);
}

template <Into into, Index lines, int level>
void multiply_asking(const Strip& s, const float* ahead) {
  unrolled<tile_rows>([&](auto row) {
    if (s.rows == row + 1)
      multiply_tile<row + 1, tile_vectors, into, FloatTerms>(s.depth, product_block, s.a, s.a_stride, s.b,
                                                             panel_columns, s.c, s.c_stride, AskAhead<lines, level>{ahead});
  });
}

/// Strip `i` of `strips` over a panel. Where another panel comes after it, many strips each ask for their share of that one; few do
/// not take as long as reading it: the first asks for what it needs itself, a little later, and runs on into the next panel.
template <Into into>
void multiply_strip_of(const Strip& s, Index i, Index strips, const float* next) {
  if (next == nullptr) return multiply<into>(s);
  if (strips < lines_of_row) {
    if (i > 0 || s.depth < asked_ahead) return multiply<into>(s);
    return multiply_asking<into, lines_of_row, 3>(s, s.b + asked_ahead * panel_columns);
  }
  const Index share = i * lines_of_row / strips;
  if (share == (i + 1) * lines_of_row / strips) return multiply<into>(s);
  multiply_asking<into, 1, 2>(s, next + share * s.depth * line);
}

/// `rows` rows of C that are whole, from column `first`.
void apply(const Finish& finish, Index rows, Index columns, Index first, float* c, Index c_stride) {
  if (finish.bias == nullptr && !finish.rectify) return;
  const float* bias = finish.bias == nullptr ? nullptr : finish.bias + first;
  for (Index i = 0; i < rows; ++i, c += c_stride) {
    if (bias != nullptr)
#pragma omp simd
      for (Index j = 0; j < columns; ++j) c[j] += bias[j];
    if (finish.rectify)
#pragma omp simd
      for (Index j = 0; j < columns; ++j) c[j] = std::max(c[j], 0.F);
  }
}

}  // namespace

Index packed_size(Index depth, Index columns) { return round_up(columns, panel_columns) * depth; }

void pack_panels(const float* b, Index stride, Index depth, Index columns, float* to) {
  const ColumnBlock whole{b, stride, columns};
  pack_panels({&whole, 1}, depth, to);
}

void pack_panels(std::span<const ColumnBlock> blocks, Index depth, float* to) {
  Index at = 0;  // column of B
  for (const ColumnBlock& block : blocks)
    for (Index from = 0; from < block.columns;) {
      // The part of the block that falls into one panel.
      const Index column = at % panel_columns;
      const Index width = std::min<Index>(panel_columns - column, block.columns - from);
      float* panel = to + (at - column) * depth + column;
      for (Index k = 0; k < depth; ++k)
        std::copy_n(block.data + k * block.stride + from, width, panel + k * panel_columns);
      from += width;
      at += width;
    }
  const Index last = at % panel_columns;
  if (last == 0) return;
  float* panel = to + (at - last) * depth;
  for (Index k = 0; k < depth; ++k)
    std::fill(panel + k * panel_columns + last, panel + (k + 1) * panel_columns, 0.F);
}

void multiply_packed(Index rows, Index columns, Index depth, const float* a, Index a_stride,
                     const float* packed_b, float* c, Index c_stride, const Finish& finish) {
  alignas(64) float tile[tile_rows * panel_columns] = {};
  for (Index k = 0; k < depth; k += block_depth)       // 4th loop: parts of the depth
    for (Index i0 = 0; i0 < rows; i0 += block_rows) {  // 3rd loop: blocks of A's rows
      const Index part = std::min(block_depth, depth - k);
      const Index height = std::min(block_rows, rows - i0);
      const Index strips = (height + tile_rows - 1) / tile_rows;
      const bool adds = k > 0 || finish.add;
      for (Index j = 0; j < columns; j += panel_columns) {  // 2nd loop: panels of B
        const Index width = std::min<Index>(panel_columns, columns - j);
        const float* panel = packed_b + j * depth + k * panel_columns;
        const float* next = j + panel_columns < columns ? panel + panel_columns * depth : nullptr;
        for (Index strip = 0; strip < strips; ++strip) {  // 1st loop: strips of A
          // All about as high: a last one of a row or two would not keep the multipliers busy.
          const Index from = strip * height / strips;
          const Index lines = (strip + 1) * height / strips - from;
          const Index i = i0 + from;
          float* to = c + i * c_stride + j;
          // The last panel may be wider than C: then it is computed beside it.
          const bool whole = width == panel_columns;
          const Strip s{lines, part, a + i * a_stride + k, a_stride, panel, whole ? to : tile, whole ? c_stride : panel_columns};
          if (!whole && adds)
            for (Index y = 0; y < lines; ++y) std::copy_n(to + y * c_stride, width, tile + y * panel_columns);
          if (adds)
            multiply_strip_of<Into::add>(s, strip, strips, next);
          else
            multiply_strip_of<Into::replace>(s, strip, strips, next);
          if (!whole)
            for (Index y = 0; y < lines; ++y) std::copy_n(tile + y * panel_columns, width, to + y * c_stride);
          if (k + part == depth) apply(finish, lines, width, j, to, c_stride);
        }
      }
    }
}

void multiply_packed_parallel(Index rows, Index columns, Index depth, const float* a, Index a_stride,
                              const float* packed_b, float* c, Index c_stride, const Finish& finish) {
  const Index panels = (columns + panel_columns - 1) / panel_columns;
#pragma omp parallel
  {
    const Index threads = omp_get_num_threads();
    if (rows < 2 * threads * block_rows) {  // too few blocks of rows to be shared evenly
      const Index first = omp_get_thread_num() * panels / threads * panel_columns;
      const Index last = std::min(columns, (omp_get_thread_num() + 1) * panels / threads * panel_columns);
      Finish own = finish;
      if (own.bias != nullptr) own.bias += first;
      if (first < last)
        multiply_packed(rows, last - first, depth, a, a_stride, packed_b + first * depth, c + first, c_stride, own);
    } else {
      // As many blocks for every thread, and all as high.
      const Index count = round_up((rows + block_rows - 1) / block_rows, threads);
      const Index height = round_up((rows + count - 1) / count, tile_rows);
#pragma omp for schedule(dynamic)
      for (Index i = 0; i < rows; i += height)
        multiply_packed(std::min(height, rows - i), columns, depth, a + i * a_stride, a_stride, packed_b,
                        c + i * c_stride, c_stride, finish);
    }
  }
}

}  // namespace attention::simd
