#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"
#include "rungs/shared_scores.hpp"
#include "simd/exp2.hpp"

namespace attention::additive {

// e^2(a + b) = e^2a · e^2b. With A_i = e^(2 W q_i) and B_j = e^(2 U k_j), one exponential for each row and hidden unit,
//
//     score = Σ_h v_h − Σ_h 2 v_h / (1 + A_h B_h),
//
// and what is left for a pair and a hidden unit is a quotient. Those of `quotient_units` units are brought to one
// denominator. With w_h = −1 / (2 v_h) and x_h = A_h w_h it is 1 / (w_h + x_h B_h): a multiply-add, and every numerator is 1.
// One unit more, 1/d, then takes a multiply-add and a multiplication:
//
//     N / D + 1 / d = (N d + D) / (D d).
//
// What could leave float32's range:
//   e^2a alone      where a query or a key has some |a| or |b| above `most_projection`, its pairs take the way of rung 7,
//                   which adds a and b before anything else: opposite signs may cancel, whatever their size.
//   a product D     becomes inf, and 0 · inf is NaN in the Newton step below: the panel's scores are not finite, and the panel
//                   is computed again by rung 7's way. No test is needed for a pair.
// Which way a query and a panel of keys take follows from their numbers alone, so the bits are the same with any threads.

/// Hidden units whose quotients share a denominator.
inline constexpr Index quotient_units = 16;

/// Hidden units after which the next row takes its turn: their part of a panel, 16 kB, stays in the nearest cache.
inline constexpr Index turn_units = 64;

/// Largest |W q|, |U k| whose e^2x is used: at most 2^±58, so that w e^2x has all its digits too.
inline constexpr float most_projection = 20;

/// e^2x for |x| <= most_projection, to 1.5 units in the last place.
///
/// 2x = n ln 2 + r with n whole and |r| <= ln 2 / 2; ln 2 is subtracted in two parts, the first of which has so few digits that
/// n times it is exact. e^r is its series up to r^7, the rest of which is below 6e-9.
[[gnu::always_inline]] inline simd::Float exp_twice(simd::Float x) {
  using simd::broadcast;
  const simd::Float y = x + x;
  const simd::Float magic = broadcast(12582912.F + 127.F);  // rounds to a whole number, see simd/exp2.hpp
  const simd::Float shifted = y * broadcast(simd::log2_e) + magic;
  const simd::Float n = shifted - magic;
  constexpr float high = 0x1.62e4p-1F;
  constexpr float low = static_cast<float>(std::numbers::ln2 - static_cast<double>(high));
  const simd::Float r = (y - n * broadcast(high)) - n * broadcast(low);
  simd::Float p = broadcast(1.F / 5040);
  for (const float c : {1.F / 720, 1.F / 120, 1.F / 24, 1.F / 6, 1.F / 2, 1.F, 1.F}) p = p * r + broadcast(c);
  return p * std::bit_cast<simd::Float>(std::bit_cast<simd::Int>(shifted) << 23);
}

/// 1 / d to two units in the last place; NaN where d is infinite, which says that a product has left the range.
[[gnu::always_inline]] inline simd::Float reciprocal(simd::Float d) {
#if defined(__AVX512F__)
  // 14 bits by one instruction (in the masked form with a full mask, see simd/vector.hpp).
  const simd::Float r = _mm512_mask_rcp14_ps(d, static_cast<__mmask16>(-1), d);
#else
  const simd::Float r = simd::broadcast(1.F) / d;
#endif
  return r + r * (simd::broadcast(1.F) - d * r);  // Newton's step doubles the digits
}

/// scores[i][j] = or += Σ_h 1 / (w_h + x_ih B_hj) for Rows queries, `units` hidden units and the keys of one panel.
template <int Rows>
void factorised_tile(const float* x, Index x_stride, const float* w, const float* panel, Index units, bool replace,
                     float* scores, Index stride) {
  using simd::broadcast;
  using simd::unrolled;
  constexpr int vectors = simd::tile_vectors;
  constexpr int tiles = Rows * vectors;
  simd::Float sum[tiles] = {};
  for (Index h = 0; h < units; h += quotient_units) {
    simd::Float N[tiles];
    simd::Float D[tiles];
    // Step by step for all sums of the tile: each step depends on the last, and the processor looks only so far ahead.
    unrolled<static_cast<int>(quotient_units)>([&](auto u) __attribute__((always_inline)) {
      const simd::Float w_h = broadcast(w[h + u]);
      unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
        const simd::Float x_h = broadcast(x[i * x_stride + h + u]);
        unrolled<vectors>([&](auto j) __attribute__((always_inline)) {
          constexpr int t = i * vectors + j;
          const simd::Float d = simd::load(panel + (h + u) * panel_keys + j * simd::lanes) * x_h + w_h;
          if constexpr (u == 0) {
            D[t] = d;
          } else if constexpr (u == 1) {
            N[t] = D[t] + d;
            D[t] *= d;
          } else {
            N[t] = N[t] * d + D[t];
            D[t] *= d;
          }
        });
      });
    });
    unrolled<tiles>([&](auto t) __attribute__((always_inline)) { sum[t] += N[t] * reciprocal(D[t]); });
  }
  unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
    unrolled<vectors>([&](auto j) __attribute__((always_inline)) {
      float* to = scores + i * stride + j * simd::lanes;
      const simd::Float s = sum[i * vectors + j];
      simd::store(to, replace ? s : simd::load(to) + s);
    });
  });
}

/// What all queries share: B of all keys, w, and how its scores are scaled. Scores are powers of two, as in rung 7.
class Factors {
 public:
  explicit Factors(const Problem& p)
      : hidden_(p.hidden()),
        padded_(round_up(p.hidden(), quotient_units)),
        projections_(p, 1, quotient_units),
        v_(scaled_v(p, shared_v_factor, quotient_units)),
        w_(size(padded_), w_of_none),
        x_factor_(size(padded_)),
        keys_(size(projections_.panels() * panel_size())) {
    scale_v(p);
    lse_shift_ = shared_shift(p) - static_cast<double>(offset_) * std::numbers::ln2;
#pragma omp parallel for schedule(static)
    for (Index j = 0; j < projections_.panels(); ++j)
      if (projections_.panel_range(j) <= most_projection)
        for (Index x = 0; x < panel_size(); x += simd::lanes)
          simd::store(keys_.data() + j * panel_size() + x, exp_twice(simd::load(projections_.panel(j) + x)));
  }

  const Projections& projections() const { return projections_; }
  Index padded_hidden() const { return padded_; }
  /// What the natural log-sum-exp lacks.
  double lse_shift() const { return lse_shift_; }

  /// x = e^2a w of one query from its projections a, both of padded_hidden() floats; false where some |a| is too large.
  bool query_factors(const float* a, float* x) const {
    if (!usable_ || !(largest_magnitude(a, hidden_) <= most_projection)) return false;
    for (Index h = 0; h < padded_; h += simd::lanes)
      simd::store(x + h, exp_twice(simd::load(a + h)) * simd::load(x_factor_.data() + h));
    return true;
  }

  /// Scores of `rows` queries against the keys of panel j: a and x of each `stride` floats apart, `factorised` from
  /// query_factors.
  void panel_scores(const float* a, const float* x, Index stride, const bool* factorised, Index rows, Index j, float* scores,
                    Index scores_stride) const {
    const bool small = usable_ && projections_.panel_range(j) <= most_projection;
    if (small)
      for (Index h = 0; h < padded_; h += turn_units) {
        const float* panel = keys_.data() + j * panel_size() + h * panel_keys;
        const Index units = std::min(turn_units, padded_ - h);
        Index i = 0;
        for (; i + 1 < rows; i += 2)
          factorised_tile<2>(x + i * stride + h, stride, w_.data() + h, panel, units, h == 0, scores + i * scores_stride, scores_stride);
        if (i < rows)
          factorised_tile<1>(x + i * stride + h, stride, w_.data() + h, panel, units, h == 0, scores + i * scores_stride, scores_stride);
      }
    for (Index i = 0; i < rows; ++i) {
      float* row = scores + i * scores_stride;
      if (small && factorised[i] && scale_finite(row)) continue;
      shared_scores_panel<true, true>(a + i * stride, projections_.panel(j), v_.data(), padded_, row);
      for (Index x_j = 0; x_j < panel_keys; x_j += simd::lanes)
        simd::store(row + x_j, simd::load(row + x_j) + simd::broadcast(offset_));
    }
  }

  static std::size_t floats(const Problem& p) {
    const Index padded = round_up(p.hidden(), quotient_units);
    return Projections::floats(p, quotient_units) + size(round_up(p.keys(), panel_keys) * padded + 3 * padded);
  }

 private:
  Index panel_size() const { return padded_ * panel_keys; }

  /// The largest |v| becomes 2^6 … 2^7, so that no w is below 2^-7 and no product of 16 denominators below 2^-112.
  /// Units that are 2^40 times smaller say nothing in float32, and units that do not exist even less: they add the same
  /// 1 / w_of_none to every score, which is taken off lse.
  void scale_v(const Problem& p) {
    constexpr float w_none = w_of_none;
    double largest = 0;
    for (const float v : p.v) {
      if (!std::isfinite(v)) usable_ = false;
      largest = std::max(largest, std::abs(shared_v_factor * static_cast<double>(v)));
    }
    const int exponent = largest > 0 ? std::ilogb(largest) - 6 : 0;
    if (!usable_ || exponent < -126 || exponent > 120) {
      usable_ = false;
      return;
    }
    scale_ = std::ldexp(1.F, exponent);
    Index zeros = padded_;
    for (Index h = 0; h < hidden_; ++h) {
      const double s = std::ldexp(shared_v_factor * static_cast<double>(p.v.data()[h]), -exponent);
      if (std::abs(s) < 0x1p-34) continue;
      w_[size(h)] = x_factor_[size(h)] = static_cast<float>(1 / s);
      --zeros;
    }
    offset_ = scale_ * static_cast<float>(zeros) / w_none;
  }

  /// The panel's scores times their scale; false, and nothing done, where one is not finite.
  bool scale_finite(float* row) const {
    simd::Float zero = {};
    for (Index j = 0; j < panel_keys; j += simd::lanes) zero += simd::load(row + j) * simd::broadcast(0.F);
    if (!(simd::sum(zero) == 0)) return false;
    for (Index j = 0; j < panel_keys; j += simd::lanes) simd::store(row + j, simd::load(row + j) * simd::broadcast(scale_));
    return true;
  }

  static constexpr float w_of_none = 16;

  Index hidden_;
  Index padded_;
  Projections projections_;
  tensor::Buffer v_;
  tensor::Buffer w_;
  tensor::Buffer x_factor_;  // w, but 0 for the units that say nothing
  tensor::Buffer keys_;
  bool usable_ = true;
  float scale_ = 1;
  float offset_ = 0;  // what the units that say nothing add to each score
  double lse_shift_ = 0;
};

/// Some queries' factors: one thread's.
class FactorisedStrip {
 public:
  FactorisedStrip(const Factors& factors, Index most_rows)
      : factors_(factors),
        a_(static_cast<std::size_t>(most_rows * stride())),
        x_(static_cast<std::size_t>(most_rows * stride())) {}

  /// Makes ready for the queries first … first + rows, at most `most_rows`, and these at most factorised_queries.
  void take(Index first, Index rows) {
    rows_ = rows;
    for (Index i = 0; i < rows; i += simd::tile_rows)
      factors_.projections().project_queries(first + i, std::min<Index>(simd::tile_rows, rows - i), a_.data() + i * stride());
    for (Index i = 0; i < rows; ++i) factorised_[i] = factors_.query_factors(a_.data() + i * stride(), x_.data() + i * stride());
  }

  /// Their scores against the keys of panel j.
  void panel_scores(Index j, float* scores, Index scores_stride) const {
    factors_.panel_scores(a_.data(), x_.data(), stride(), factorised_, rows_, j, scores, scores_stride);
  }

  /// W q of the strip's query i.
  const float* projections(Index i) const { return a_.data() + i * stride(); }

  static Index floats(const Problem& p, Index most_rows) { return 2 * most_rows * round_up(p.hidden(), simd::panel_columns); }

 private:
  Index stride() const { return factors_.projections().query_stride(); }

  const Factors& factors_;
  Index rows_ = 0;
  bool factorised_[factorised_queries] = {};
  tensor::Buffer a_;
  tensor::Buffer x_;
};

}  // namespace attention::additive
