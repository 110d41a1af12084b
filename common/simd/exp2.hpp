#pragma once

#include "simd/vector.hpp"

namespace attention::simd {

inline constexpr float log2_e = 1.44269504088896340736F;
inline constexpr float ln_2 = 0.693147180559945309417F;
inline constexpr float lowest_power = -100;  ///< of what exp2 does not take for 0

/// 2^x, lane by lane.
///
/// x = n + f with n whole; 2^f is a polynomial, 2^n goes into the exponent. Within 1.5 units in the last place; 2^0 is 1
/// exactly; 2^-inf is 0, NaN stays NaN, and inf becomes NaN. For x < 127.5: a softmax never asks for more than 2^0.
///
/// Below 2^-100 the result is 0. Beside a weight of 1 nobody can tell; but near 2^-126 the numbers that float32 has no exponent for begin
/// (subnormal), and an instruction that meets one takes some hundred cycles: peaked scores made a kernel thirty times as slow.
[[gnu::always_inline]] inline Float exp2(Float x) {
#if defined(__AVX512DQ__)
  // f = x − ⌊x⌋ and · 2^⌊x⌋ are one instruction each: eight in all, where shifts and sums take thirteen. Degree 5, minimax for
  // the relative error on 0 <= f <= 1 (8.2e-8).
  // (Both in the masked form with a full mask: g++ 12's plain one warns of an uninitialised value in its own header.)
  constexpr auto all = static_cast<__mmask16>(-1);
  const Float f = _mm512_mask_reduce_ps(x, all, x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  Float p = broadcast(0x1.e974fap-10F);
  p = p * f + broadcast(0x1.277856p-7F);
  p = p * f + broadcast(0x1.c91ce6p-5F);
  p = p * f + broadcast(0x1.ebdb56p-3F);
  p = p * f + broadcast(0x1.62e4bap-1F);
  p = p * f + broadcast(1.F);
  // Not less, so that NaN stays.
  return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, broadcast(lowest_power), _CMP_NLT_UQ), p, x);
#else
  // |f| <= 1/2; degree 6, minimax for the relative error (2e-9).
  // Adding 1.5 · 2^23 leaves no room for a fraction: the sum is rounded to the nearest whole number, which then stands in the
  // low bits of its representation; 127 more, and those bits are the exponent of 2^n.
  const Float magic = broadcast(12582912.F + 127.F);
  const Float shifted = x + magic;
  const Float f = x - (shifted - magic);
  const Int exponent = std::bit_cast<Int>(shifted) << 23;
  Float p = broadcast(0x1.41d334p-13F);
  p = p * f + broadcast(0x1.5f456ap-10F);
  p = p * f + broadcast(0x1.3b2dbcp-7F);
  p = p * f + broadcast(0x1.c6aed4p-5F);
  p = p * f + broadcast(0x1.ebfbdap-3F);
  p = p * f + broadcast(0x1.62e430p-1F);
  p = p * f + broadcast(1.F);
  return x < broadcast(lowest_power) ? Float{} : p * std::bit_cast<Float>(exponent);  // NaN stays
#endif
}

/// e^x, lane by lane: 2^(x log2 e), log2 e in two parts, since the rounding of one would shift all results together.
/// For |x| beyond 30 the rounding of the product shows: |x| · 6e-8 relative.
[[gnu::always_inline]] inline Float exp(Float x) {
  constexpr float rest = 1.925963033500e-8F;  // log2 e − log2_e
  return exp2(x * broadcast(log2_e) + x * broadcast(rest));
}

}  // namespace attention::simd
