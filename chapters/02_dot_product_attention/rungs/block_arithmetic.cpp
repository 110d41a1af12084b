#include "rungs/block_arithmetic.hpp"

#include <algorithm>

#include "rungs/online_softmax.hpp"
#include "simd/finite.hpp"

namespace attention::dot_product {

namespace {

/// Depth of a panel of K, in words, that stays in the nearest cache (16 KB of 32) while a band's strips pass over it.
constexpr Index near_depth = 64;

/// The vectors of a panel that its first `columns` columns fill.
int vectors_of(Index columns) {
  return static_cast<int>((std::min<Index>(columns, simd::panel_columns) + simd::lanes - 1) / simd::lanes);
}

}  // namespace

void BlockArithmetic::pack_query(const float* query, Index dim, float* to) const { std::copy_n(query, dim, to); }

Matrix BlockArithmetic::pack_keys(Matrix key, Index count, Index dim, float*, float* to) const {
  dot_product::pack_keys(key.data, key.stride, count, dim, to);
  return {to, dim};
}

Matrix BlockArithmetic::pack_values(Matrix value, Index count, Index value_dim, float* to) const {
  return pad_values(value.data, value.stride, count, value_dim, simd::lanes, to);
}

bool BlockArithmetic::all_finite(Matrix packed, Index count, Index value_dim) const {
  return simd::all_finite(packed.data, packed.stride, count, value_dim);
}

void BlockArithmetic::scores(Matrix query, Index rows, Matrix packed, Index keys, Index dim, float* scores, Index stride) const {
  const Index depth = words_of(dim);
  for (Index j = 0; j < keys; j += simd::panel_columns)  // panels of keys
    for (Index c = 0; c < depth; c += near_depth)        // a part of the panel that stays in the nearest cache
      for (Index i = 0; i < rows; i += strip_rows_) {    // strips of queries
        const auto multiply = c == 0 ? kernels_.replace : kernels_.add;
        multiply(std::min(strip_rows_, rows - i), std::min(near_depth, depth - c), depth_block, query.from_row(i).data + c,
                 query.stride, packed.from_row(j).data + c * simd::panel_columns, simd::panel_columns, scores + i * stride + j,
                 stride, vectors_of(keys - j));
      }
}

float BlockArithmetic::softmax(float* row, Index keys, float& m_i, float& l_i) const {
  return online_softmax(row, keys, m_i, l_i);
}

void BlockArithmetic::values(Matrix weights, Index rows, Matrix packed, Index keys, float* sum, Index stride) const {
  for (Index c = 0; c < stride; c += simd::panel_columns)  // panels of V's columns
    for (Index i = 0; i < rows; i += strip_rows_)          // strips of queries
      kernels_.replace(std::min(strip_rows_, rows - i), words_of(keys), values_block, weights.from_row(i).data, weights.stride,
                       packed.data + c, packed.stride, sum + i * stride + c, stride, vectors_of(stride - c));
}

}  // namespace attention::dot_product
