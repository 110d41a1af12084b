// Rung 5, simd: a block of the result stays in registers while the sums run.
//
// What changed: both products go through one micro-kernel, 6 queries × 4 vectors, whose 24 sums stay in registers: four loads
// of B and six broadcasts of A feed 24 multiply-adds. K is transposed into panels first, so that the kernel reads it in
// order. The softmax uses a vector exponential. The n × m weights are still stored, and read again.
#include <algorithm>
#include <cmath>

#include "rungs/packing.hpp"
#include "rungs/rungs.hpp"
#include "rungs/softmax.hpp"

namespace attention::dot_product {

namespace {

constexpr Index block_queries = 8 * simd::tile_rows;

/// Terms after which a score's sum starts anew: half of the fused rung's, since the score is rounded once more when it is
/// stored unscaled.
constexpr Index score_block = depth_block / 2;

/// c[rows × columns] = sign · a[rows × depth] · B, B in panels `b_panel` floats apart; sums start anew after `block` terms.
void product(Index rows, Index columns, Index depth, Index block, const float* a, Index a_stride, const float* b, Index b_stride,
             Index b_panel, float sign, float* c, Index c_stride) {
  alignas(64) float tile[simd::tile_rows * simd::panel_columns];
  for (Index j = 0; j < columns; j += simd::panel_columns)
    for (Index i = 0; i < rows; i += simd::tile_rows) {
      const Index height = std::min<Index>(simd::tile_rows, rows - i);
      const Index width = std::min<Index>(simd::panel_columns, columns - j);
      simd::multiply_strip_pairwise(height, depth, block, a + i * a_stride, a_stride,
                                     b + j / simd::panel_columns * b_panel, b_stride, tile, simd::panel_columns);
      for (Index y = 0; y < height; ++y)
        for (Index x = 0; x < width; ++x)
          c[(i + y) * c_stride + j + x] = sign * tile[y * simd::panel_columns + x];
    }
}

}  // namespace

void simd(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index all_heads = p.batch() * p.heads();
  const Index key_heads = p.batch() * p.key_heads();
  const Index keys = p.keys();
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const Index padded = round_up(value_dim, simd::panel_columns);
  const Index blocks = (p.queries() + block_queries - 1) / block_queries;
  const Index head_size = packed_keys_size(keys, dim);
  const bool pad = padded != value_dim;
  tensor::Buffer packed(static_cast<std::size_t>(key_heads * head_size));
  tensor::Buffer padded_values(static_cast<std::size_t>(pad ? key_heads * keys * padded : 0));

#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index head = 0; head < key_heads; ++head) {
      pack_keys(p.key.data() + head * keys * dim, dim, keys, dim, packed.data() + head * head_size);
      if (pad)
        pad_values(p.value.data() + head * keys * value_dim, value_dim, keys, value_dim, simd::panel_columns,
                   padded_values.data() + head * keys * padded);
    }
#pragma omp for collapse(2) schedule(dynamic)
    for (Index head = 0; head < all_heads; ++head)
      for (Index block = 0; block < blocks; ++block) {
        const Index first = block * block_queries;
        const Index rows = std::min(block_queries, p.queries() - first);
        const Index row = head * p.queries() + first;
        float* weights = out.weights.data() + row * keys;
        const Index key_head = p.key_head(head / p.heads(), head % p.heads());
        const float* value = pad ? padded_values.data() + key_head * keys * padded : p.value.data() + key_head * keys * value_dim;
        const Index last = std::max<Index>(1, p.keys_of_block(first, rows).last);  // no row of the block sees a later key

        product(rows, last, dim, score_block, p.query.data() + row * dim, dim, packed.data() + key_head * head_size, simd::panel_columns,
                dim * simd::panel_columns, std::copysign(1.F, p.scale), weights, keys);
        for (Index i = 0; i < rows; ++i)
          out.lse.data()[row + i] = masked_softmax_row(weights + i * keys, keys, p.keys_of(first + i), std::abs(p.scale));
        product(rows, value_dim, last, values_block, weights, keys, value, padded, simd::panel_columns, 1.F,
                out.output.data() + row * value_dim, value_dim);
      }
  }
}

std::size_t simd_workspace(const Problem& p) {
  const Index padded = round_up(p.value_dim(), simd::panel_columns);
  const Index heads = p.batch() * p.key_heads();
  const Index values = padded == p.value_dim() ? 0 : p.keys() * padded;
  return weights_workspace(p) +
         static_cast<std::size_t>(heads * (packed_keys_size(p.keys(), p.dim()) + values)) * sizeof(float);
}

}  // namespace attention::dot_product
