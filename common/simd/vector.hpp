#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace attention::simd {

// The width follows the instruction set that the file is compiled for: 16 floats with AVX-512, 8 with AVX, 4 without.
// They are the compiler's own vector types (g++ and clang share them): +, -, *, comparisons and ?: work lane by lane,
// and a * b + c becomes one fused multiply-add.
#if defined(__AVX512F__)
inline constexpr int lanes = 16;
#elif defined(__AVX__)
inline constexpr int lanes = 8;
#else
inline constexpr int lanes = 4;
#endif

using Float = float __attribute__((vector_size(lanes * sizeof(float))));
using Int = std::int32_t __attribute__((vector_size(lanes * sizeof(std::int32_t))));

/// Reads `lanes` floats from any address.
inline Float load(const float* from) {
  Float value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Writes `lanes` floats to any address.
inline void store(float* to, Float value) { std::memcpy(to, &value, sizeof value); }

/// All lanes hold `value`. (x - 0 is x for every x, -0 and NaN too, so compilers make this one broadcast instruction; a loop
/// over the lanes, which reads better, g++ 12 turns into a masked load and half the speed.)
inline Float broadcast(float value) { return value - Float{}; }

/// The larger of each lane; where `a` or `b` is NaN, `b`. So max(x, m) lets a running maximum m pass over NaNs: they come
/// back through exp2(x - m), which keeps them.
inline Float max(Float a, Float b) {
#if defined(__AVX512F__)
  // One instruction; g++ 12 makes a comparison and a blend of a > b ? a : b. (The masked form with a full mask is the same
  // instruction; the plain one warns of an uninitialised value in g++ 12's own header.)
  return _mm512_mask_max_ps(a, static_cast<__mmask16>(-1), a, b);
#elif defined(__AVX__)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

/// Calls f(integral_constant<int, 0>) … f(integral_constant<int, N - 1>): a loop that is unrolled for certain, so that an
/// array of accumulators indexed by its counter stays in registers.
template <int N, class F>
[[gnu::always_inline]] inline void unrolled(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>{}), ...);
  }(std::make_integer_sequence<int, N>{});
}

namespace detail {
/// The lanes shifted round by `By`.
template <int By, int... I>
[[gnu::always_inline]] inline Float rotate(Float v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, ((I + By) % lanes)...);
}

/// combine(v, v rotated by half), again with a quarter …: every lane then holds the combination of all.
template <int Width, class Combine>
[[gnu::always_inline]] inline Float reduce(Float v, Combine combine) {
  if constexpr (Width == 0)
    return v;
  else
    return reduce<Width / 2>(combine(v, rotate<Width>(v, std::make_integer_sequence<int, lanes>{})), combine);
}
}  // namespace detail

/// Sum over the lanes, halves first: the order depends on the width alone.
[[gnu::always_inline]] inline float sum(Float v) {
  return detail::reduce<lanes / 2>(v, [](Float a, Float b) { return a + b; })[0];
}

/// Largest lane (NaNs are passed over where a number stands beside them).
[[gnu::always_inline]] inline float maximum(Float v) {
  return detail::reduce<lanes / 2>(v, [](Float a, Float b) { return max(a, b); })[0];
}

}  // namespace attention::simd
