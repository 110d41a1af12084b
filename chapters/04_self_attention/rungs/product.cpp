// The projections of the rungs "simd" and "fused".
#include "rungs/product.hpp"

#include <algorithm>

#include "rungs/packing.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::self_attention {

namespace {

using dot_product::round_up;

constexpr Index block_rows = 8 * simd::tile_rows;

/// b in panels of the micro-kernel's width, each [depth × panel_columns]; the last is filled with zeros.
void pack(const float* b, Index depth, Index columns, Index panel, float* to) {
  const Index first = panel * simd::panel_columns;
  const Index width = std::min<Index>(simd::panel_columns, columns - first);
  for (Index k = 0; k < depth; ++k) {
    std::copy_n(b + k * columns + first, width, to + k * simd::panel_columns);
    std::fill(to + k * simd::panel_columns + width, to + (k + 1) * simd::panel_columns, 0.F);
  }
}

}  // namespace

void multiply(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  const Index panels = round_up(columns, simd::panel_columns) / simd::panel_columns;
  const Index panel_size = depth * simd::panel_columns;
  tensor::Buffer packed(static_cast<std::size_t>(panels * panel_size));
  const Index blocks = (rows + block_rows - 1) / block_rows;
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index panel = 0; panel < panels; ++panel) pack(b, depth, columns, panel, packed.data() + panel * panel_size);
#pragma omp for schedule(static)
    for (Index block = 0; block < blocks; ++block)      // 96 rows of a stay in the second-level cache
      for (Index panel = 0; panel < panels; ++panel)    // a panel of b stays near while
        for (Index i = block * block_rows; i < std::min(rows, (block + 1) * block_rows); i += simd::tile_rows) {
          const Index height = std::min<Index>({simd::tile_rows, rows - i, (block + 1) * block_rows - i});
          const Index j = panel * simd::panel_columns;
          const Index width = std::min<Index>(simd::panel_columns, columns - j);
          alignas(64) float tile[simd::tile_rows * simd::panel_columns];
          const bool whole = width == simd::panel_columns;
          float* to = whole ? c + i * columns + j : tile;
          const Index stride = whole ? columns : simd::panel_columns;
          simd::multiply_strip_pairwise(height, depth, product_block, a + i * depth, depth, packed.data() + panel * panel_size,
                                        simd::panel_columns, to, stride);
          if (!whole)
            for (Index y = 0; y < height; ++y) std::copy_n(tile + y * simd::panel_columns, width, c + (i + y) * columns + j);
        }
  }
}

std::size_t multiply_workspace(Index depth, Index columns) {
  return static_cast<std::size_t>(round_up(columns, simd::panel_columns) * depth) * sizeof(float);
}

}  // namespace attention::self_attention
