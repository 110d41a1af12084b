#pragma once

#include "simd/vector.hpp"

namespace attention::simd {

/// tanh(x), lane by lane.
///
/// With u = e^−2|x| − 1, which lies in (−1, 0], tanh |x| = −u / (u + 2); the sign is put back at the end. e^−2|x| = 2^y, and
/// y = n + f with n whole and |f| <= 1/2, as in exp2. 2^f − 1 is f times a polynomial of degree 5 (minimax for the relative
/// error, 1.1e-8), so that u = 2^n (2^f − 1) + (2^n − 1) keeps its digits where x is small: there n is 0, and a plain 2^y − 1
/// would cancel.
/// Within 3.5 units in the last place for all x, denormal ones to 2 of their units; odd to the last bit; tanh(±0) = ±0,
/// tanh(±inf) = ±1 and so for all |x| beyond 10; NaN stays NaN.
[[gnu::always_inline]] inline Float tanh(Float x) {
  const Int sign_bit = std::bit_cast<Int>(broadcast(-0.F));
  const Int sign = std::bit_cast<Int>(x) & sign_bit;
  const Float magnitude = std::bit_cast<Float>(std::bit_cast<Int>(x) & ~sign_bit);
  // Beyond 2^-30 the result is 1 in float32; NaN stays.
  const Float y = max(broadcast(-30.F), magnitude * broadcast(-0x1.715476p+1F));  // −2 log2 e
  const Float magic = broadcast(12582912.F + 127.F);  // rounds to a whole number, see exp2
  const Float shifted = y + magic;
  const Float f = y - (shifted - magic);
  const Float power = std::bit_cast<Float>(std::bit_cast<Int>(shifted) << 23);
  Float p = broadcast(0x1.4308fap-13F);
  p = p * f + broadcast(0x1.5f07b4p-10F);
  p = p * f + broadcast(0x1.3b2ba0p-7F);
  p = p * f + broadcast(0x1.c6af6ep-5F);
  p = p * f + broadcast(0x1.ebfbdep-3F);
  p = p * f + broadcast(0x1.62e430p-1F);
  const Float u = power * (p * f) + (power - broadcast(1.F));
  const Float t = u / (u + broadcast(2.F));  // −tanh |x|
  return std::bit_cast<Float>((std::bit_cast<Int>(t) & ~sign_bit) | sign);
}

}  // namespace attention::simd
