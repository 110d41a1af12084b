#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"
#include "simd/exp2.hpp"

namespace attention::additive {

/// Scores of one query against the keys of one panel, in powers of two. `a` is the query's projection and `a_range` its largest
/// magnitude, `b` the panel's, `v` the scaled vector; all of `hidden` entries, a multiple of four.
using PanelScores = void (*)(const float* a, float a_range, const float* b, float b_range, const float* v, Index hidden,
                             float* scores);

/// weights = softmax of the row's scores, in powers of two, in place. Gives the log-sum-exp, also in powers of two.
inline double softmax_row(float* row, Index n) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const Index whole = n / simd::lanes * simd::lanes;
  // The ragged end is worked on in a copy padded with −inf, whose exponential is 0.
  alignas(64) float end[simd::lanes];
  std::fill(end, end + simd::lanes, -infinity);
  std::copy(row + whole, row + n, end);

  simd::Float largest = simd::load(end);
  for (Index j = 0; j < whole; j += simd::lanes) largest = simd::max(simd::load(row + j), largest);
  float m = simd::maximum(largest);
  if (!(m > -infinity)) m = 0;

  const simd::Float last = simd::exp2(simd::load(end) - simd::broadcast(m));
  // Blocks of 1024 exponentials are summed in float32, the blocks in float64: a long row loses nothing.
  auto total = static_cast<double>(simd::sum(last));
  for (Index first = 0; first < whole; first += 1024) {
    simd::Float part = {};
    for (Index j = first; j < std::min<Index>(first + 1024, whole); j += simd::lanes) {
      const simd::Float e = simd::exp2(simd::load(row + j) - simd::broadcast(m));
      simd::store(row + j, e);
      part += e;
    }
    total += static_cast<double>(simd::sum(part));
  }
  const auto l = static_cast<float>(total);
  simd::store(end, last / simd::broadcast(l));
  for (Index j = 0; j < whole; j += simd::lanes) simd::store(row + j, simd::load(row + j) / simd::broadcast(l));
  std::copy(end, end + (n - whole), row + whole);
  return static_cast<double>(m) + std::log2(total);
}

/// output = weights · V of some rows, at most simd::tile_rows.
inline void values_strip(const float* weights, Index rows, Index keys, const PaddedValues& value, Index value_dim, float* output) {
  alignas(64) float tile[simd::tile_rows * simd::panel_columns];
  for (Index c = 0; c < value_dim; c += simd::panel_columns) {
    simd::multiply_strip_pairwise(rows, keys, sum_block, weights, keys, value.data() + c, value.stride(), tile, simd::panel_columns);
    for (Index i = 0; i < rows; ++i)
      std::copy_n(tile + i * simd::panel_columns, std::min<Index>(simd::panel_columns, value_dim - c),
                  output + i * value_dim + c);
  }
}

/// What follows from the scores of some rows, at most simd::tile_rows, in powers of two: weights, log-sum-exp and output.
inline void finish_rows(const Problem& p, Index first, Index rows, const PaddedValues& value, double lse_shift, Output& out) {
  const Index keys = p.keys();
  float* weights = out.weights.data() + first * keys;
  for (Index i = 0; i < rows; ++i)
    out.lse.data()[first + i] = static_cast<float>(softmax_row(weights + i * keys, keys) * std::numbers::ln2 + lse_shift);
  values_strip(weights, rows, keys, value, p.value_dim(), out.output.data() + first * p.value_dim());
}

/// The whole of a rung that stores the weights, but for how a panel's scores are computed. The projections are multiplied by
/// `projection_factor`, v by `v_factor`, and `lse_shift` is added to the log-sum-exp.
template <PanelScores panel_scores>
void attend_stored(const Problem& p, float projection_factor, double v_factor, double lse_shift, Output& out) {
  prepare(p, out, true);
  const Index keys = p.keys();
  const Projections projections(p, projection_factor);
  const tensor::Buffer v = scaled_v(p, v_factor);
  const PaddedValues value(p);
#pragma omp parallel
  {
    tensor::Buffer a(static_cast<std::size_t>(simd::tile_rows * projections.query_stride()));
    alignas(64) float edge[panel_keys];
#pragma omp for schedule(dynamic)
    for (Index first = 0; first < p.queries(); first += simd::tile_rows) {
      const Index rows = std::min<Index>(simd::tile_rows, p.queries() - first);
      float* weights = out.weights.data() + first * keys;
      projections.project_queries(first, rows, a.data());
      // A panel of keys, 16 kB where hidden is 128, stays in the nearest cache for all rows of the strip.
      for (Index panel = 0; panel < projections.panels(); ++panel)
        for (Index i = 0; i < rows; ++i) {
          const float* a_i = a.data() + i * projections.query_stride();
          const Index j = panel * panel_keys;
          const bool whole = j + panel_keys <= keys;
          float* scores = whole ? weights + i * keys + j : edge;
          panel_scores(a_i, largest_magnitude(a_i, p.hidden()), projections.panel(panel), projections.panel_range(panel),
                       v.data(), projections.hidden(), scores);
          if (!whole) std::copy_n(edge, keys - j, weights + i * keys + j);
        }
      finish_rows(p, first, rows, value, lse_shift, out);
    }
  }
}

}  // namespace attention::additive
