#pragma once

#include "simd/vector.hpp"

namespace attention::convolutional {

/// 1/d, lane by lane, within 2 units in the last place where |d| is from 2^−126 to 2^126, and next to 0 for a finite d beyond. A division keeps a unit busy for 16 cycles a
/// vector. The processor has an estimate of 14 bits that takes two, and one step of Newton's method doubles the bits.
[[gnu::always_inline]] inline simd::Float reciprocal(simd::Float d) {
#if defined(__AVX512F__)
  // In the masked form with a full mask: g++ 12's plain one warns of an uninitialised value in its own header.
  const simd::Float r = _mm512_maskz_rcp14_ps(static_cast<__mmask16>(-1), d);
  return r + r * (simd::broadcast(1.F) - d * r);
#else
  return simd::broadcast(1.F) / d;
#endif
}

}  // namespace attention::convolutional
