#pragma once

#include <limits>
#include <type_traits>

#include "simd/exp2.hpp"
#include "simd/interleaved_tile.hpp"
#include "tensor/tensor.hpp"

namespace attention::dot_product {

using tensor::Index;

inline constexpr float infinity = std::numeric_limits<float>::infinity();

/// Calls work(j, x) for every vector of a row of `count` elements, four after another: x says which of four accumulators serves
/// it, so that none waits for the one before.
template <class Work>
[[gnu::always_inline]] inline void for_each_vector(Index count, Work work) {
  Index j = 0;
  for (; j + 4 * simd::lanes <= count; j += 4 * simd::lanes)
    simd::unrolled<4>([&](auto x) { work(j + x * simd::lanes, x); });
  simd::unrolled<3>([&](auto x) {  // the same accumulator for the same place, however many elements follow
    if (j + x * simd::lanes < count) work(j + x * simd::lanes, x);
  });
}

/// 2^x, lane by lane.
struct PowerOfTwo {
  [[gnu::always_inline]] simd::Float operator()(simd::Float x) const { return simd::exp2(x); }
};

/// One row of scores, in powers of two, becomes 2^(score − m_i); m_i and l_i take the block in (Dao et al. 2022, algorithm 1,
/// lines 10 to 12). Gives 2^(m_i_old − m_i), by which what the row has gathered so far must be scaled. `keys` is a whole number
/// of vectors.
template <class Power = PowerOfTwo>
inline float online_softmax(float* row, Index keys, float& m_i, float& l_i, Power power = {}) {
  const simd::Float lowest = simd::broadcast(m_i);
  simd::Float largest[4] = {lowest, lowest, lowest, lowest};
  for_each_vector(keys, [&](Index j, auto x) { largest[x] = simd::max(simd::load(row + j), largest[x]); });
  const float m_new = simd::maximum(simd::max(simd::max(largest[0], largest[1]), simd::max(largest[2], largest[3])));
  // As long as every score was −inf there is nothing to subtract (−inf − −inf would be NaN), and nothing was gathered.
  const float subtract = m_new == -infinity ? 0 : m_new;
  const float alpha = m_i == -infinity ? 0 : simd::exp2(simd::broadcast(m_i - subtract))[0];

  simd::Float sum[4] = {};
  for_each_vector(keys, [&](Index j, auto x) {
    const simd::Float e = power(simd::load(row + j) - simd::broadcast(subtract));
    simd::store(row + j, e);
    sum[x] += e;
  });
  l_i = alpha * l_i + simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  m_i = m_new;
  return alpha;
}

namespace detail {
template <int Vectors, class Power>
inline void online_softmax_of_lanes(float* scores, Index keys, float* m, float* l, float* alpha, Power power) {
  constexpr Index width = Vectors * simd::lanes;
  constexpr int rows = 4;  // as many keys at a time, each with sums of its own: none waits for the one before
  const auto all = [](auto work) __attribute__((always_inline)) { simd::unrolled<Vectors>(work); };
  const simd::Float nothing = simd::broadcast(-infinity);

  simd::Float largest[rows][Vectors];
  simd::unrolled<rows>([&](auto y) __attribute__((always_inline)) { all([&](auto x) __attribute__((always_inline)) { largest[y][x] = simd::load(m + x * simd::lanes); }); });
  const auto take_largest = [&](Index j, auto y) __attribute__((always_inline)) {
    all([&](auto x) __attribute__((always_inline)) { largest[y][x] = simd::max(simd::load(scores + j * width + x * simd::lanes), largest[y][x]); });
  };
  Index j = 0;
  for (; j + rows <= keys; j += rows) simd::unrolled<rows>([&](auto y) __attribute__((always_inline)) { take_largest(j + y, y); });
  for (; j < keys; ++j) take_largest(j, std::integral_constant<int, 0>{});

  simd::Float subtract[Vectors];
  all([&](auto x) __attribute__((always_inline)) {
    const simd::Float m_old = simd::load(m + x * simd::lanes);
    const simd::Float m_new = simd::max(simd::max(largest[0][x], largest[1][x]), simd::max(largest[2][x], largest[3][x]));
    // As long as every score was −inf there is nothing to subtract (−inf − −inf would be NaN), and nothing was gathered.
    subtract[x] = m_new == nothing ? simd::Float{} : m_new;
    simd::store(alpha + x * simd::lanes, m_old == nothing ? simd::Float{} : simd::exp2(m_old - subtract[x]));
    simd::store(m + x * simd::lanes, m_new);
  });

  simd::Float sum[rows][Vectors] = {};
  const auto take_power = [&](Index i, auto y) __attribute__((always_inline)) {
    all([&](auto x) __attribute__((always_inline)) {
      float* score = scores + i * width + x * simd::lanes;
      const simd::Float e = power(simd::load(score) - subtract[x]);
      simd::store(score, e);
      sum[y][x] += e;
    });
  };
  for (j = 0; j + rows <= keys; j += rows) simd::unrolled<rows>([&](auto y) __attribute__((always_inline)) { take_power(j + y, y); });
  for (; j < keys; ++j) take_power(j, std::integral_constant<int, 0>{});
  all([&](auto x) __attribute__((always_inline)) {
    const Index at = x * simd::lanes;
    simd::store(l + at, simd::load(alpha + at) * simd::load(l + at) + ((sum[0][x] + sum[1][x]) + (sum[2][x] + sum[3][x])));
  });
}
}  // namespace detail

/// online_softmax for `vectors` vectors of rows at a time, a row in each lane: scores[j · width + i] is key j's score with query i, and
/// m, l and alpha hold one number a query. No lane meets another: there is no maximum across lanes, and no sum.
template <class Power = PowerOfTwo>
inline void online_softmax_of_lanes(float* scores, Index keys, int vectors, float* m, float* l, float* alpha, Power power = {}) {
  static_assert(simd::interleaved_vectors == 3);
  if (vectors == 3) return detail::online_softmax_of_lanes<3>(scores, keys, m, l, alpha, power);
  if (vectors == 2) return detail::online_softmax_of_lanes<2>(scores, keys, m, l, alpha, power);
  detail::online_softmax_of_lanes<1>(scores, keys, m, l, alpha, power);
}

}  // namespace attention::dot_product
