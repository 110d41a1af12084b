#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "rungs/backward_parts.hpp"
#include "rungs/factorised_scores.hpp"
#include "simd/exp2.hpp"

namespace attention::additive {

// The way back over tiles of 24 queries × 64 keys. First the tile's scores, weights and their gradients dS, keys side by side
// as in forward. Then, hidden units side by side and r = 1 / (1 + E), E = e^2(a + b):
//
//     1 − t² = 4 r (1 − r),        da / 4 v += dS (r − r²),  db / 4 v += dS (r − r²)
//     t = 1 − 2 r,                 dv / −2 += dS r, since the dS of a query add up to 0.
//
// Here every pair needs its own r; it cannot be had as one fraction with others.

/// Beyond 2^±60 r or 1 − r is 0 to the last bit that counts.
inline constexpr float most_sum_exponent = 60;

/// What e^2(a + b) is made of.
enum class Exponential { of_sum, of_factors };

/// Adds what one query gives to `units` hidden units (a multiple of Vectors · lanes) over `keys` keys. `a` and b [keys][stride]
/// are projections, or e^2x of them; dS has the keys side by side.
template <Exponential exponential, int Vectors>
inline void add_gradients(const float* a, const float* b, Index stride, const float* dS, Index keys, Index units, float* da, float* db,
                          float* dv) {
  using simd::broadcast;
  using simd::Float;
  constexpr auto n = static_cast<std::size_t>(Vectors);
  using All = std::array<Float, n>;
  for (Index h = 0; h < units; h += Vectors * simd::lanes) {
    const auto place = [h](std::size_t v) __attribute__((always_inline)) { return h + static_cast<Index>(v) * simd::lanes; };
    All a_h, sum_a, sum_v;
    for (std::size_t v = 0; v < n; ++v) {
      a_h[v] = simd::load(a + place(v));
      sum_a[v] = simd::load(da + place(v));
      sum_v[v] = simd::load(dv + place(v));
    }
    for (Index j = 0; j < keys; ++j) {
      const Float dS_j = broadcast(dS[j]);
      All d, r;
      for (std::size_t v = 0; v < n; ++v) {
        const Float b_h = simd::load(b + j * stride + place(v));
        if constexpr (exponential == Exponential::of_factors) {
          d[v] = a_h[v] * b_h + broadcast(1.F);
        } else {
          // NaN stays.
          const Float y = (a_h[v] + b_h) * broadcast(shared_projection_factor);
          d[v] = simd::exp2(-simd::max(broadcast(-most_sum_exponent), -simd::max(broadcast(-most_sum_exponent), y))) + broadcast(1.F);
        }
      }
      for (std::size_t v = 0; v < n; ++v) r[v] = reciprocal(d[v]);
      for (std::size_t v = 0; v < n; ++v) {
        const Float g = r[v] - r[v] * r[v];
        float* to = db + j * stride + place(v);
        simd::store(to, simd::load(to) + dS_j * g);
        sum_a[v] += dS_j * g;
        sum_v[v] += dS_j * r[v];
      }
    }
    for (std::size_t v = 0; v < n; ++v) {
      simd::store(da + place(v), sum_a[v]);
      simd::store(dv + place(v), sum_v[v]);
    }
  }
}

/// One thread's work on parts of the keys.
class BackwardPart {
 public:
  BackwardPart(const BackwardProblem& problem, const Factors& factors, bool may_factorise, Index most_keys)
      : problem_(problem),
        p_(problem.inputs),
        factors_(factors),
        may_factorise_(may_factorise),
        stride_(factors.padded_hidden()),
        strip_(factors, std::min(factorised_queries, p_.queries())),
        b_(size(most_keys * stride_)),
        B_(size(most_keys * stride_)),
        A_(size(factorised_queries * stride_)),
        values_(size(most_keys * p_.value_dim())),
        weights_(size(factorised_queries * tile_stride)),
        dS_(size(factorised_queries * tile_stride)) {}

  /// Adds what the keys first … last give to da [queries][stride] and dv of the part; their db and dvalue are its own.
  void run(Index first, Index last, float* da, float* db, float* dv, BackwardOutput& out) {
    const Index panels = round_up(last - first, panel_keys) / panel_keys;
    const Index first_panel = first / panel_keys;
    pack_rows(p_.value.data() + first * p_.value_dim(), last - first, p_.value_dim(), values_.data());
    for (Index j = 0; j < panels; ++j) {  // keys one below the other again, hidden units side by side
      float* rows = b_.data() + j * panel_keys * stride_;
      simd::transpose(factors_.projections().panel(first_panel + j), panel_keys, stride_, panel_keys, rows, stride_);
      if (factorises(first_panel + j))
        for (Index x = 0; x < panel_keys * stride_; x += simd::lanes)
          simd::store(B_.data() + j * panel_keys * stride_ + x, exp_twice(simd::load(rows + x)));
    }
    for (Index i = 0; i < p_.queries(); i += factorised_queries) {
      const Index rows = std::min(factorised_queries, p_.queries() - i);
      take(i, rows);
      for (Index j = 0; j < panels; ++j) {
        const Index keys = std::min(panel_keys, last - first - j * panel_keys);
        weigh(first_panel + j, values_.data() + j * panel_keys * p_.value_dim(), i, rows, keys);
        add_values(first + j * panel_keys, i, rows, keys, out);
        add_tile(first_panel + j, j * panel_keys, rows, keys, da + i * stride_, db + j * panel_keys * stride_, dv);
      }
    }
  }

  static Index floats(const Problem& p, Index most_keys) {
    const Index stride = round_up(p.hidden(), quotient_units);
    return FactorisedStrip::floats(p, factorised_queries) + most_keys * (2 * stride + p.value_dim()) +
           factorised_queries * (stride + 2 * tile_stride);
  }

 private:

  /// Of a row of the tile: a little more than a power of two, whose rows would share cache lines.
  static constexpr Index tile_stride = panel_keys + simd::lanes;

  bool factorises(Index panel) const { return may_factorise_ && factors_.projections().panel_range(panel) <= most_projection; }

  /// The queries' projections, their factors, lse in powers of two and D.
  void take(Index first, Index rows) {
    strip_.take(first, rows);
    for (Index i = 0; i < rows; ++i) {
      const float* a = strip_.projections(i);
      small_[i] = may_factorise_ && largest_magnitude(a, p_.hidden()) <= most_projection;
      if (small_[i])
        for (Index h = 0; h < stride_; h += simd::lanes) simd::store(A_.data() + i * stride_ + h, exp_twice(simd::load(a + h)));
      const float* gradient = problem_.output_gradient.data() + (first + i) * p_.value_dim();
      const float* output = problem_.output.data() + (first + i) * p_.value_dim();
      float delta = 0;
      for (Index c = 0; c < p_.value_dim(); ++c) delta += gradient[c] * output[c];
      delta_[i] = delta;
      const double lse = static_cast<double>(problem_.lse.data()[first + i]) - factors_.lse_shift();
      lse_[i] = static_cast<float>(lse * std::numbers::log2e);
    }
  }

  /// P and dS of the tile.
  void weigh(Index panel, const float* values, Index first, Index rows, Index keys) {
    strip_.panel_scores(panel, weights_.data(), tile_stride);
    for (Index i = 0; i < rows; i += simd::tile_rows)
      simd::multiply_strip_pairwise(std::min<Index>(simd::tile_rows, rows - i), p_.value_dim(), sum_block,
                                    problem_.output_gradient.data() + (first + i) * p_.value_dim(), p_.value_dim(), values, panel_keys,
                                    dS_.data() + i * tile_stride, tile_stride);
    for (Index i = 0; i < rows; ++i) {
      float* weight = weights_.data() + i * tile_stride;
      float* dS = dS_.data() + i * tile_stride;
      for (Index j = 0; j < panel_keys; j += simd::lanes) {
        const simd::Float P = simd::exp2(simd::load(weight + j) - simd::broadcast(lse_[i]));
        simd::store(weight + j, P);
        simd::store(dS + j, P * (simd::load(dS + j) - simd::broadcast(delta_[i])));
      }
      std::fill(weight + keys, weight + panel_keys, 0.F);
      std::fill(dS + keys, dS + panel_keys, 0.F);
    }
  }

  /// dvalue_j += Σ_i P_ij dO_i
  void add_values(Index key, Index first, Index rows, Index keys, BackwardOutput& out) const {
    const Index value_dim = p_.value_dim();
    for (Index j = 0; j < keys; ++j) {
      float* to = out.value_gradient.data() + (key + j) * value_dim;
      for (Index i = 0; i < rows; ++i) {
        const float weight = weights_[size(i * tile_stride + j)];
        const float* gradient = problem_.output_gradient.data() + (first + i) * value_dim;
#pragma omp simd
        for (Index c = 0; c < value_dim; ++c) to[c] += weight * gradient[c];
      }
    }
  }

  void add_tile(Index panel, Index first_key, Index rows, Index keys, float* da, float* db, float* dv) const {
    const bool small = factorises(panel);
    constexpr Index turn = simd::tile_vectors * simd::lanes;  // hidden units that are held in registers
    constexpr Index near = 32;                                // keys whose b and db stay in the nearest cache for all queries
    for (Index j = 0; j < keys; j += near)
      for (Index h = 0; h < stride_; h += turn)
        for (Index i = 0; i < rows; ++i) {
          const bool factors = small && small_[i];
          const float* a = factors ? A_.data() + i * stride_ : strip_.projections(i);
          const float* b = (factors ? B_ : b_).data() + (first_key + j) * stride_;
          const Index units = std::min(turn, stride_ - h);
          const auto add = units == turn ? (factors ? add_gradients<Exponential::of_factors, simd::tile_vectors>
                                                    : add_gradients<Exponential::of_sum, simd::tile_vectors>)
                                         : (factors ? add_gradients<Exponential::of_factors, 1> : add_gradients<Exponential::of_sum, 1>);
          add(a + h, b + h, stride_, dS_.data() + i * tile_stride + j, std::min(near, keys - j), units, da + i * stride_ + h,
              db + j * stride_ + h, dv + h);
        }
  }

  const BackwardProblem& problem_;
  const Problem& p_;
  const Factors& factors_;
  bool may_factorise_;
  Index stride_;
  FactorisedStrip strip_;
  tensor::Buffer b_, B_, A_, values_, weights_, dS_;
  bool small_[factorised_queries] = {};
  float lse_[factorised_queries] = {};
  float delta_[factorised_queries] = {};
};

/// The whole of the rungs "simd" and "factorised".
inline void backward_by_tiles(const BackwardProblem& problem, bool may_factorise, BackwardOutput& out) {
  const Problem& p = problem.inputs;
  prepare(problem, out);
  const KeyParts parts(p);
  const Factors factors(p);
  ProjectionGradients g(p, factors.padded_hidden(), parts.count);
  std::fill(out.value_gradient.begin(), out.value_gradient.end(), 0.F);
#pragma omp parallel
  {
    BackwardPart worker(problem, factors, may_factorise, std::min(parts.keys, round_up(p.keys(), panel_keys)));
#pragma omp for schedule(dynamic)
    for (Index part = 0; part < parts.count; ++part) {
      const Index first = part * parts.keys;
      worker.run(first, std::min(first + parts.keys, p.keys()), g.query.data() + part * p.queries() * g.stride,
                 g.key.data() + first * g.stride, g.v.data() + part * g.stride, out);
    }
  }
  finish(p, g, 4, -2, out);
}

}  // namespace attention::additive
