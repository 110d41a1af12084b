#pragma once

#include <limits>
#include <type_traits>

#include "simd/exp2.hpp"
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

}  // namespace attention::dot_product
