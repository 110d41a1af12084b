#include "rungs/block_arithmetic.hpp"

#include <algorithm>
#include <array>

#include "rungs/online_softmax.hpp"

namespace attention::dot_product {

namespace {

/// What is there already counts whole: C = 1 · C + A · B.
constexpr auto unscaled = [] {
  std::array<float, band_queries> ones{};
  ones.fill(1);
  return ones;
}();

/// BlockArithmetic::scores over rows of K where they lie, `rows_at_a_time` of them or as many as the tile has.
template <int Vectors>
void scores_in_place(const float* query, Matrix key, Index rows_at_a_time, Index count, Index dim, float* scores) {
  constexpr Index width = Vectors * simd::lanes;
  constexpr int rows = simd::interleaved_rows;
  const auto strip = [&](auto height, Index j) {
    simd::multiply_tile<height, Vectors, simd::Into::replace, simd::FloatTerms>(dim, depth_block, key.from_row(j).data, key.stride, query,
                                                                                width, scores + j * width, width);
  };
  for (Index j = 0; j < count;) {
    const Index height = std::min({rows_at_a_time, count - j, Index{rows}});
    simd::unrolled<rows>([&](auto y) {
      if (height == y + 1) strip(std::integral_constant<int, y + 1>{}, j);
    });
    j += height;
  }
}

}  // namespace

void BlockArithmetic::pack_query(const float* query, Index dim, float* to) const { std::copy_n(query, dim, to); }

Interleaved BlockArithmetic::pack_keys(Matrix key, Index count, Index dim, Index queries, float*, float* to) const {
  return packs_keys(queries, key.stride, dim) ? interleave_rows(key, count, dim, to) : rows_in_place(key);
}

Interleaved BlockArithmetic::pack_values(Matrix value, Index count, Index value_dim, float* to) const {
  return packs_values(value.stride, value_dim) ? copy_columns(value, count, value_dim, to) : interleaved_columns(value);
}

void BlockArithmetic::scores(const float* query, int vectors, Interleaved key, Index first, Index count, Index dim,
                             float* scores) const {
  if (key.row != 1)
    return simd::unrolled<simd::interleaved_vectors>([&](auto v) {
      if (vectors == v + 1) scores_in_place<v + 1>(query, {key.at(first, 0), key.row}, rows_at_a_time_, count, dim, scores);
    });
  const Index width = vectors * simd::lanes;
  const Index depth = words_of(dim);
  for (Index c = 0; c < depth; c += depth_block)
    for (Index j = 0; j < count; j += rows_at_a_time_)
      multiply_(std::min(rows_at_a_time_, count - j), vectors, std::min(depth_block, depth - c), key.at(first + j, c), key.strip, key.step,
                query + c * width, scores + j * width, c == 0 ? nullptr : unscaled.data());
}

void BlockArithmetic::softmax(float* scores, Index keys, int vectors, float* m, float* l, float* alpha) const {
  online_softmax_of_lanes(scores, keys, vectors, m, l, alpha);
}

void BlockArithmetic::values(const float* weights, int vectors, Interleaved value, Index first, Index count, Index value_dim,
                             const float* alpha, float* output) const {
  const Index width = vectors * simd::lanes;
  const Index words = words_of(count);
  for (Index j = 0; j < words; j += values_block)
    for (Index c = 0; c < value_dim; c += rows_at_a_time_)
      multiply_(std::min(rows_at_a_time_, value_dim - c), vectors, std::min(values_block, words - j),
                value.at(c, first / numbers_in_word() + j), value.strip, value.step, weights + j * width, output + c * width,
                j == 0 ? alpha : unscaled.data());
}

}  // namespace attention::dot_product
