#pragma once

#include <array>
#include <bit>
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

/// The vectors of a panel of keys. A chain of instructions, each of which waits for the last, is taken step by step through all
/// of them: a processor looks only some 100 instructions ahead.
inline constexpr std::size_t panel_vectors = simd::tile_vectors;
using PanelVectors = std::array<simd::Float, panel_vectors>;

/// y = 1 + 2^y for |y| <= most_exponent. 2^f is a polynomial of degree 5 (least largest relative error, 1.1e-7, exact at 0): an
/// error of E = 2^y moves tanh by (1 − tanh²) / 2 times as much, so half a unit roundoff more than exp2 has goes unseen.
template <bool clamp>
[[gnu::always_inline]] inline void denominators(PanelVectors& y) {
  using simd::broadcast;
  if constexpr (clamp)  // NaN stays
    for (simd::Float& x : y) x = -simd::max(broadcast(-most_exponent), -simd::max(broadcast(-most_exponent), x));
  const simd::Float magic = broadcast(12582912.F + 127.F);  // rounds to a whole number, see simd/exp2.hpp
  PanelVectors power, p;
  for (std::size_t v = 0; v < panel_vectors; ++v) power[v] = y[v] + magic;
  for (std::size_t v = 0; v < panel_vectors; ++v) y[v] -= power[v] - magic;
  for (simd::Float& x : power) x = std::bit_cast<simd::Float>(std::bit_cast<simd::Int>(x) << 23);
  p.fill(broadcast(0x1.5bba14p-10F));
  for (const float c : {0x1.3cea88p-7F, 0x1.c6b752p-5F, 0x1.ebf9bcp-3F, 0x1.62e42ap-1F, 1.F})
    for (std::size_t v = 0; v < panel_vectors; ++v) p[v] = p[v] * y[v] + broadcast(c);
  for (std::size_t v = 0; v < panel_vectors; ++v) y[v] = p[v] * power[v] + broadcast(1.F);
}

/// Σ_h v_h / (1 + 2^(a_h + b_h)) for the keys of one panel, `shared_units` hidden units to a division:
///
///     N / D + v / d = (N d + v D) / (D d).
///
/// `plain`: a and b are the projections themselves, and their sum is scaled: where large ones cancel it is exact.
template <bool clamp, bool plain = false>
inline void shared_scores_panel(const float* a, const float* b, const float* v, Index hidden, float* scores) {
  using simd::broadcast;
  PanelVectors sum{};
  for (Index h = 0; h < hidden; h += shared_units) {
    PanelVectors N, D;
    simd::unrolled<static_cast<int>(shared_units)>([&](auto u) __attribute__((always_inline)) {
      PanelVectors d;
      for (std::size_t j = 0; j < panel_vectors; ++j) {
        d[j] = broadcast(a[h + u]) + simd::load(b + (h + u) * panel_keys + static_cast<Index>(j) * simd::lanes);
        if constexpr (plain) d[j] *= broadcast(shared_projection_factor);
      }
      denominators<clamp>(d);
      const simd::Float v_h = broadcast(v[h + u]);
      for (std::size_t j = 0; j < panel_vectors; ++j) {
        N[j] = u == 0 ? v_h : N[j] * d[j] + v_h * D[j];
        D[j] = u == 0 ? d[j] : D[j] * d[j];
      }
    });
    for (std::size_t j = 0; j < panel_vectors; ++j) sum[j] += N[j] / D[j];
  }
  for (std::size_t j = 0; j < panel_vectors; ++j) simd::store(scores + static_cast<Index>(j) * simd::lanes, sum[j]);
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
