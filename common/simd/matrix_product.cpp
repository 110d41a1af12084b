#include "simd/matrix_product.hpp"

#include <omp.h>

#include <algorithm>

#include "simd/micro_kernel.hpp"
#include "tensor/tensor.hpp"

namespace attention::simd {

namespace {

using tensor::Index;

/// Rows and columns of A that are copied together: 400 KB, less than a second-level cache. Every panel of B
/// that is fetched then serves many rows.
constexpr Index block_rows = 32 * tile_rows;
constexpr Index block_depth = 2 * product_block;

Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// Floats between the copied rows of A: never a power of two, whose rows would share cache lines.
Index strip_stride(Index depth) { return std::min(depth, block_depth) + lanes; }

/// Terms by which the first strip over a panel asks for B before it is needed: where rows are few, B comes
/// from far away, and the machine's own reading ahead stops at every page.
constexpr Index asked_ahead = 32;

struct AskAhead {
  const float* at;  ///< of B, asked_ahead rows on
  // Inlined by name: a function that returns nothing and stores nothing is dropped by g++ 12, requests and all.
  [[gnu::always_inline]] void operator()(Index k) const {
    for (int vector = 0; vector < tile_vectors; ++vector) __builtin_prefetch(at + k * panel_columns + vector * lanes);
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

template <Into into>
void multiply_asking_ahead(const Strip& s) {
  unrolled<tile_rows>([&](auto row) {
    if (s.rows == row + 1)
      multiply_tile<row + 1, tile_vectors, into, FloatTerms>(s.depth, product_block, s.a, s.a_stride, s.b,
                                                             panel_columns, s.c, s.c_stride,
                                                             AskAhead{s.b + asked_ahead * panel_columns});
  });
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

Index product_scratch(Index depth) { return block_rows * strip_stride(depth) + tile_rows * panel_columns; }

void multiply_packed(Index rows, Index columns, Index depth, const float* a, Index a_stride,
                     const float* packed_b, float* c, Index c_stride, float* scratch) {
  const Index stride = strip_stride(depth);
  float* tile = scratch + block_rows * stride;
  for (Index k = 0; k < depth; k += block_depth)       // 4th loop: parts of the depth
    for (Index i0 = 0; i0 < rows; i0 += block_rows) {  // 3rd loop: blocks of A's rows, copied side by side
      const Index part = std::min(block_depth, depth - k);
      const Index height = std::min(block_rows, rows - i0);
      for (Index i = 0; i < height; ++i) std::copy_n(a + (i0 + i) * a_stride + k, part, scratch + i * stride);
      for (Index j = 0; j < columns; j += panel_columns) {  // 2nd loop: panels of B
        const Index width = std::min<Index>(panel_columns, columns - j);
        const bool another_follows = j + panel_columns < columns && depth >= asked_ahead;
        for (Index i = 0; i < height; i += tile_rows) {  // 1st loop: strips of A
          const Index strip = std::min<Index>(tile_rows, height - i);
          float* to = c + (i0 + i) * c_stride + j;
          // The last panel may be wider than C: then it is computed beside it.
          const bool whole = width == panel_columns;
          const Strip s{strip,
                        part,
                        scratch + i * stride,
                        stride,
                        packed_b + j * depth + k * panel_columns,
                        whole ? to : tile,
                        whole ? c_stride : panel_columns};
          if (!whole && k > 0)
            for (Index y = 0; y < strip; ++y) std::copy_n(to + y * c_stride, width, tile + y * panel_columns);
          const bool ask = i == 0 && another_follows;
          if (k == 0)
            ask ? multiply_asking_ahead<Into::replace>(s) : multiply<Into::replace>(s);
          else
            ask ? multiply_asking_ahead<Into::add>(s) : multiply<Into::add>(s);
          if (!whole)
            for (Index y = 0; y < strip; ++y) std::copy_n(tile + y * panel_columns, width, to + y * c_stride);
        }
      }
    }
}

void multiply_packed_parallel(Index rows, Index columns, Index depth, const float* a, Index a_stride,
                              const float* packed_b, float* c, Index c_stride) {
  const Index panels = (columns + panel_columns - 1) / panel_columns;
#pragma omp parallel
  {
    tensor::UnsetBuffer scratch(static_cast<std::size_t>(product_scratch(depth)));
    const Index threads = omp_get_num_threads();
    if (rows < 2 * threads * block_rows) {  // too few blocks of rows to be shared evenly
      const Index first = omp_get_thread_num() * panels / threads * panel_columns;
      const Index last = std::min(columns, (omp_get_thread_num() + 1) * panels / threads * panel_columns);
      if (first < last)
        multiply_packed(rows, last - first, depth, a, a_stride, packed_b + first * depth, c + first, c_stride,
                        scratch.data());
    } else {
      // As many blocks for every thread, and all as high.
      const Index count = round_up((rows + block_rows - 1) / block_rows, threads);
      const Index height = round_up((rows + count - 1) / count, tile_rows);
#pragma omp for schedule(dynamic)
      for (Index i = 0; i < rows; i += height)
        multiply_packed(std::min(height, rows - i), columns, depth, a + i * a_stride, a_stride, packed_b,
                        c + i * c_stride, c_stride, scratch.data());
    }
  }
}

std::size_t parallel_product_workspace(Index depth) {
  return static_cast<std::size_t>(omp_get_max_threads() * product_scratch(depth)) * sizeof(float);
}

}  // namespace attention::simd
