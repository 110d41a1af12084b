#pragma once

#include <numbers>

#include "rungs/projections.hpp"
#include "simd/vector.hpp"

namespace attention::additive {

// tanh x = 1 − 2 / (1 + e^2x). So the score is Σ_h v_h − Σ_h 2 v_h / (1 + 2^(a_h + b_h)), where a and b are the projections
// times 2 log2(e). The first sum is the same for all keys: the softmax does not see it, and only lse needs it.

/// Factors of the projections and of v for shared_scores; scores are then powers of two.
inline constexpr auto shared_projection_factor = static_cast<float>(2 * std::numbers::log2e);
inline constexpr double shared_v_factor = -2 * std::numbers::log2e;

/// What the scores lack: Σ_h v_h.
inline double shared_shift(const Problem& p) {
  double sum = 0;
  for (const float v : p.v) sum += static_cast<double>(v);
  return sum;
}

/// Beyond 2^±30 the quotient is 0 or 1 to the last bit that counts, and a product of four denominators is below 2^128.
inline constexpr float most_exponent = 30;

/// 1 + 2^y for |y| <= most_exponent. 2^f is a polynomial of degree 5 (least largest relative error, 1.1e-7, exact at 0): an
/// error of E = 2^y moves tanh by (1 − tanh²) / 2 times as much, so half a unit roundoff more than exp2 has goes unseen.
template <bool clamp>
[[gnu::always_inline]] inline simd::Float denominator(simd::Float y) {
  using simd::broadcast;
  // NaN stays.
  if constexpr (clamp) y = -simd::max(broadcast(-most_exponent), -simd::max(broadcast(-most_exponent), y));
  const simd::Float magic = broadcast(12582912.F + 127.F);  // rounds to a whole number, see simd/exp2.hpp
  const simd::Float shifted = y + magic;
  const simd::Float f = y - (shifted - magic);
  const auto power = std::bit_cast<simd::Float>(std::bit_cast<simd::Int>(shifted) << 23);
  simd::Float p = broadcast(0x1.5bba14p-10F);
  p = p * f + broadcast(0x1.3cea88p-7F);
  p = p * f + broadcast(0x1.c6b752p-5F);
  p = p * f + broadcast(0x1.ebf9bcp-3F);
  p = p * f + broadcast(0x1.62e42ap-1F);
  p = p * f + broadcast(1.F);
  return p * power + broadcast(1.F);
}

/// Σ_h v_h / (1 + 2^(a_h + b_h)) for the keys of one panel, four hidden units to a division:
///
///     v₀/d₀ + v₁/d₁ = (v₀ d₁ + v₁ d₀) / (d₀ d₁), and two such quotients are added in the same way.
/// `plain`: a and b are the projections themselves, and their sum is scaled: where large ones cancel it is exact.
template <bool clamp, bool plain = false>
inline void shared_scores_panel(const float* a, const float* b, const float* v, Index hidden, float* scores) {
  using simd::broadcast;
  for (Index j = 0; j < panel_keys; j += 2 * simd::lanes) {
    simd::Float sum[2] = {};
    for (Index h = 0; h < hidden; h += shared_units)
      simd::unrolled<2>([&](auto x) {
        const auto d = [&](Index k) __attribute__((always_inline)) {
          const simd::Float y = broadcast(a[h + k]) + simd::load(b + (h + k) * panel_keys + j + x * simd::lanes);
          return denominator<clamp>(plain ? y * broadcast(shared_projection_factor) : y);
        };
        const simd::Float d0 = d(0);
        const simd::Float d1 = d(1);
        const simd::Float d2 = d(2);
        const simd::Float d3 = d(3);
        const simd::Float d01 = d0 * d1;
        const simd::Float d23 = d2 * d3;
        const simd::Float n01 = broadcast(v[h]) * d1 + broadcast(v[h + 1]) * d0;
        const simd::Float n23 = broadcast(v[h + 2]) * d3 + broadcast(v[h + 3]) * d2;
        sum[x] += (n01 * d23 + n23 * d01) / (d01 * d23);
      });
    simd::store(scores + j, sum[0]);
    simd::store(scores + j + simd::lanes, sum[1]);
  }
}

/// The same, clamped only where some exponent could leave the range: the largest magnitudes of both projections tell. Where
/// none does, clamping would change nothing, so the bits are the same either way.
inline void shared_scores(const float* a, float a_range, const float* b, float b_range, const float* v, Index hidden,
                          float* scores) {
  if (a_range + b_range <= most_exponent)
    shared_scores_panel<false>(a, b, v, hidden, scores);
  else
    shared_scores_panel<true>(a, b, v, hidden, scores);
}

}  // namespace attention::additive
