// Rung 6, simd: sixteen keys side by side, and a tanh for all of them at once.
//
// What changed: std::tanh is a call for each number, with branches for small and large ones. Here it has no branch and works on
// whole vectors. The projected keys are transposed into panels of 64: the loop over hidden then adds vectors of keys at each
// step, and their sums stay in registers until the score is done; nothing has to be added across lanes. Both products (the
// projections and weights · V) go through the register-blocked micro-kernel. log2(e) goes into v, since the exponential is a
// power of two.
//
// A tanh is a chain of some 15 instructions, each of which waits for the last. All vectors of a panel are taken through it step
// by step: written one after the other, a processor that looks 100 instructions ahead sees no more than a few chains at once.
#include <array>
#include <cmath>

#include "rungs/stored.hpp"
#include "simd/tanh.hpp"

namespace attention::additive {

namespace {

using simd::broadcast;
using simd::Float;

/// Vectors of a panel, and one value of each.
constexpr std::size_t vectors = simd::tile_vectors;
using Vectors = std::array<Float, vectors>;

/// x = tanh x, to a few units in the last place for every x, NaN for NaN.
[[gnu::always_inline]] inline void tanh_of_any(Vectors& x) {
  for (std::size_t v = 0; v < vectors; ++v) x[v] = simd::tanh(x[v]);
}

#if defined(__AVX512F__)
/// Largest |x| for which tanh_of_some may be asked: e^2x is below 2^116.
constexpr float most_argument = 40;

/// 2^(k/16) / 2, less k · 2^19 in its bits: that is what the 16ths of an exponent, moved to the place of exponents, add.
const std::array<std::int32_t, 16>& powers() {
  alignas(64) static const std::array<std::int32_t, 16> table = [] {
    std::array<std::int32_t, 16> t;
    for (int k = 0; k < 16; ++k)
      t[static_cast<std::size_t>(k)] = std::bit_cast<std::int32_t>(static_cast<float>(std::exp2(k / 16.0 - 1))) - (k << 19);
    return t;
  }();
  return table;
}

/// x = tanh x = 1 − 1 / (1/2 + 2^y / 2) with y = 2 log2(e) x, to 6 u absolute, which is all that a sum can use; |x| <= most_argument.
///
/// y = n + k/16 + r with |r| <= 1/32. 2^(k/16) comes from a table that fits one register, and for 2^r a polynomial of degree 2 is
/// enough (4.4e-7, of which tanh sees at most half). The division is an approximate reciprocal and one step of Newton.
[[gnu::always_inline]] inline void tanh_of_some(Vectors& x, simd::Int power_of) {
  constexpr auto all = static_cast<__mmask16>(-1);
  constexpr auto factor = static_cast<float>(2 * std::numbers::log2e);
  const Float magic = broadcast(786432.F);  // 1.5 · 2^19: the sum is rounded to 16ths, which stand in its low bits
  Vectors s, r, p, q;
  for (std::size_t v = 0; v < vectors; ++v) s[v] = x[v] * broadcast(factor) + magic;
  for (std::size_t v = 0; v < vectors; ++v) r[v] = x[v] * broadcast(factor) - (s[v] - magic);
  for (std::size_t v = 0; v < vectors; ++v) p[v] = r[v] * broadcast(0x1.ebfbep-3F) + broadcast(0x1.62e974p-1F);
  for (std::size_t v = 0; v < vectors; ++v) p[v] = p[v] * r[v] + broadcast(1.F);
  for (std::size_t v = 0; v < vectors; ++v) {
    const auto bits = std::bit_cast<simd::Int>(s[v]);
    const auto power = std::bit_cast<simd::Int>(
        _mm512_maskz_permutexvar_epi32(all, std::bit_cast<__m512i>(bits), std::bit_cast<__m512i>(power_of)));
    s[v] = std::bit_cast<Float>(power + (bits << 19));
  }
  for (std::size_t v = 0; v < vectors; ++v) p[v] = p[v] * s[v] + broadcast(0.5F);
  for (std::size_t v = 0; v < vectors; ++v) q[v] = _mm512_mask_rcp14_ps(p[v], all, p[v]);
  for (std::size_t v = 0; v < vectors; ++v) p[v] = broadcast(2.F) - p[v] * q[v];
  for (std::size_t v = 0; v < vectors; ++v) x[v] = broadcast(1.F) - q[v] * p[v];
}
#endif

/// Σ_h v_h tanh(a_h + b_h) for the keys of a panel.
template <class Tanh>
[[gnu::always_inline]] inline void sum_panel(const float* a, const float* b, const float* v, Index hidden, float* scores, Tanh tanh) {
  Vectors sum{};
  for (Index h = 0; h < hidden; ++h) {
    Vectors x;
    for (std::size_t j = 0; j < vectors; ++j) x[j] = broadcast(a[h]) + simd::load(b + h * panel_keys + static_cast<Index>(j) * simd::lanes);
    tanh(x);
    for (std::size_t j = 0; j < vectors; ++j) sum[j] += broadcast(v[h]) * x[j];
  }
  for (std::size_t j = 0; j < vectors; ++j) simd::store(scores + static_cast<Index>(j) * simd::lanes, sum[j]);
}

void panel_scores(const float* a, [[maybe_unused]] float a_range, const float* b, [[maybe_unused]] float b_range, const float* v,
                  Index hidden, float* scores) {
#if defined(__AVX512F__)
  if (a_range + b_range <= most_argument) {
    const auto power_of = std::bit_cast<simd::Int>(powers());
    return sum_panel(a, b, v, hidden, scores, [&](Vectors& x) __attribute__((always_inline)) { tanh_of_some(x, power_of); });
  }
#endif
  sum_panel(a, b, v, hidden, scores, [](Vectors& x) __attribute__((always_inline)) { tanh_of_any(x); });
}

}  // namespace

void simd(const Problem& p, Output& out) { attend_stored<panel_scores>(p, 1, std::numbers::log2e, 0, out); }

std::size_t simd_workspace(const Problem& p) {
  return weights_workspace(p) + (Projections::floats(p) + PaddedValues::floats(p)) * sizeof(float);
}

}  // namespace attention::additive
