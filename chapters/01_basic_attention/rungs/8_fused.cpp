// Rung 8, fused: scores of 6 queries and 512 keys at a time are used at once and forgotten; no queries × keys matrix exists.
//
// What changed: the online softmax (Milakov & Gimelshein 2018). Each row keeps its maximum m_i, its sum l_i and its
// unnormalised output O_i; when a block of keys brings a larger maximum, what was gathered so far is scaled down by
// 2^(m_i_old − m_i). The time hardly changes, since nearly all of it goes into the tanhs; the memory does: what is left are
// the projected keys, keys × hidden floats.
#include <omp.h>

#include <cmath>
#include <limits>

#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"
#include "rungs/shared_scores.hpp"
#include "simd/exp2.hpp"

namespace attention::additive {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// One thread's scratch memory, for a strip of queries.
struct Scratch {
  tensor::Buffer a, scores, sum, output;

  Scratch(const Projections& projections, Index value_stride)
      : a(size(simd::tile_rows * projections.query_stride())),
        scores(size(simd::tile_rows * scores_stride)),
        sum(size(simd::tile_rows * value_stride)),
        output(size(simd::tile_rows * value_stride)) {}

  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

  /// Of a row of scores: a little more than a power of two, whose rows would share cache lines.
  static constexpr Index scores_stride = fused_keys + simd::lanes;
};

/// The online softmax's step for one row and one block of scores, which become 2^(score − m_i): updates the maximum m_i and
/// the sum l_i, gives the factor for what was gathered before.
float online_softmax(float* row, Index keys, float& m_i, float& l_i) {
  simd::Float largest = simd::broadcast(m_i);
  for (Index j = 0; j < keys; j += simd::lanes) largest = simd::max(simd::load(row + j), largest);
  const float m_new = simd::maximum(largest);
  // As long as every score was −inf there is nothing to subtract (−inf − −inf would be NaN), and nothing was gathered.
  const float subtract = m_new == -infinity ? 0 : m_new;
  const float alpha = m_i == -infinity ? 0 : simd::exp2(simd::broadcast(m_i - subtract))[0];
  simd::Float sum = {};
  for (Index j = 0; j < keys; j += simd::lanes) {
    const simd::Float e = simd::exp2(simd::load(row + j) - simd::broadcast(subtract));
    simd::store(row + j, e);
    sum += e;
  }
  l_i = alpha * l_i + simd::sum(sum);
  m_i = m_new;
  return alpha;
}

/// The queries first … first + rows over all keys.
void attend_strip(const Problem& p, const Projections& projections, const tensor::Buffer& v, const PaddedValues& value,
                  double lse_shift, Index first, Index rows, Scratch& s, Output& out) {
  projections.project_queries(first, rows, s.a.data());
  float a_range[simd::tile_rows];
  float m[simd::tile_rows];
  float l[simd::tile_rows] = {};
  std::fill(m, m + rows, -infinity);
  for (Index i = 0; i < rows; ++i) a_range[i] = largest_magnitude(s.a.data() + i * projections.query_stride(), p.hidden());
  std::fill(s.output.begin(), s.output.end(), 0.F);

  for (Index j = 0; j < p.keys(); j += fused_keys) {  // blocks of keys
    const Index keys = std::min(fused_keys, p.keys() - j);
    const Index padded_keys = round_up(keys, panel_keys);
    for (Index x = 0; x < padded_keys; x += panel_keys)  // panels of keys, which stay in the nearest cache
      for (Index i = 0; i < rows; ++i)
        shared_scores(s.a.data() + i * projections.query_stride(), a_range[i], projections.panel((j + x) / panel_keys),
                      projections.panel_range((j + x) / panel_keys), v.data(), projections.hidden(),
                      s.scores.data() + i * Scratch::scores_stride + x);
    float alpha[simd::tile_rows];
    for (Index i = 0; i < rows; ++i) {
      float* scores = s.scores.data() + i * Scratch::scores_stride;
      std::fill(scores + keys, scores + padded_keys, -infinity);  // keys that do not exist get no weight
      alpha[i] = online_softmax(scores, padded_keys, m[i], l[i]);
    }
    for (Index c = 0; c < value.stride(); c += simd::panel_columns)
      simd::multiply_strip<simd::Into::replace>(rows, keys, sum_block, s.scores.data(), Scratch::scores_stride,
                                                value.data() + j * value.stride() + c, value.stride(), s.sum.data() + c,
                                                value.stride());
    for (Index i = 0; i < rows; ++i) {
      // what was gathered, scaled down, and the block's part
      float* output = s.output.data() + i * value.stride();
      const float* sum = s.sum.data() + i * value.stride();
      for (Index c = 0; c < value.stride(); ++c) output[c] = alpha[i] * output[c] + sum[c];
    }
  }

  for (Index i = 0; i < rows; ++i) {
    float* to = out.output.data() + (first + i) * p.value_dim();
    for (Index c = 0; c < p.value_dim(); ++c) to[c] = s.output[static_cast<std::size_t>(i * value.stride() + c)] / l[i];
    const double lse = (static_cast<double>(m[i]) + std::log2(static_cast<double>(l[i]))) * std::numbers::ln2;
    out.lse.data()[first + i] = static_cast<float>(lse + lse_shift);
  }
}

}  // namespace

void fused(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Projections projections(p, shared_projection_factor);
  const tensor::Buffer v = scaled_v(p, shared_v_factor);
  const PaddedValues value(p);
  const double lse_shift = shared_shift(p);
#pragma omp parallel
  {
    Scratch scratch(projections, value.stride());
#pragma omp for schedule(dynamic)
    for (Index first = 0; first < p.queries(); first += simd::tile_rows)
      attend_strip(p, projections, v, value, lse_shift, first, std::min<Index>(simd::tile_rows, p.queries() - first), scratch, out);
  }
}

std::size_t fused_workspace(const Problem& p) {
  const Index row = round_up(p.hidden(), simd::panel_columns) + Scratch::scores_stride + 2 * round_up(p.value_dim(), simd::panel_columns);
  return (Projections::floats(p) + PaddedValues::floats(p) + static_cast<std::size_t>(omp_get_max_threads() * simd::tile_rows * row)) *
         sizeof(float);
}

}  // namespace attention::additive
