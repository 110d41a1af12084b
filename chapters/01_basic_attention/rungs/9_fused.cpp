// Rung 9, fused: scores of 24 queries and 512 keys at a time are used at once and forgotten; no queries × keys matrix exists.
//
// What changed: the online softmax (Milakov & Gimelshein 2018). Each row keeps its maximum m_i, its sum l_i and its
// unnormalised output O_i; when a block of keys brings a larger maximum, what was gathered so far is scaled down by
// 2^(m_i_old − m_i). A matrix of weights is neither written nor read again; what is left in memory are the projected keys and
// their factors, 2 · keys × hidden floats.
#include <omp.h>

#include <cmath>
#include <limits>

#include "rungs/factorised_scores.hpp"
#include "rungs/rungs.hpp"
#include "simd/exp2.hpp"

namespace attention::additive {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// One thread's scratch memory, for a strip of queries.
struct Scratch {
  FactorisedStrip strip;
  tensor::Buffer scores, sum, output;

  Scratch(const Factors& factors, Index most_rows, Index value_stride)
      : strip(factors, most_rows),
        scores(size(most_rows * scores_stride)),
        sum(size(simd::tile_rows * value_stride)),
        output(size(most_rows * value_stride)) {}

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

/// output_i = alpha_i output_i + Σ_j weight_ij value_j over one block of keys, for some rows, at most simd::tile_rows.
void add_values(const float* weights, const float* alpha, Index rows, Index keys, const float* value, Index stride, float* sum,
                float* output) {
  for (Index c = 0; c < stride; c += simd::panel_columns)
    simd::multiply_strip<simd::Into::replace>(rows, keys, sum_block, weights, Scratch::scores_stride, value + c, stride, sum + c,
                                              stride);
  for (Index i = 0; i < rows; ++i)
    for (Index c = 0; c < stride; ++c) output[i * stride + c] = alpha[i] * output[i * stride + c] + sum[i * stride + c];
}

/// The queries first … first + rows over all keys.
void attend_strip(const Problem& p, const Factors& factors, const PaddedValues& value, Index first, Index rows, Scratch& s,
                  Output& out) {
  s.strip.take(first, rows);
  float m[factorised_queries];
  float l[factorised_queries] = {};
  std::fill(m, m + rows, -infinity);
  std::fill(s.output.begin(), s.output.end(), 0.F);

  for (Index j = 0; j < p.keys(); j += fused_keys) {  // blocks of keys
    const Index keys = std::min(fused_keys, p.keys() - j);
    const Index padded_keys = round_up(keys, panel_keys);
    for (Index x = 0; x < padded_keys; x += panel_keys)  // panels of keys, which stay in the nearest cache
      s.strip.panel_scores((j + x) / panel_keys, s.scores.data() + x, Scratch::scores_stride);
    float alpha[factorised_queries];
    for (Index i = 0; i < rows; ++i) {
      float* scores = s.scores.data() + i * Scratch::scores_stride;
      std::fill(scores + keys, scores + padded_keys, -infinity);  // keys that do not exist get no weight
      alpha[i] = online_softmax(scores, padded_keys, m[i], l[i]);
    }
    for (Index i = 0; i < rows; i += simd::tile_rows)
      add_values(s.scores.data() + i * Scratch::scores_stride, alpha + i, std::min<Index>(simd::tile_rows, rows - i), keys,
                 value.data() + j * value.stride(), value.stride(), s.sum.data(), s.output.data() + i * value.stride());
  }

  for (Index i = 0; i < rows; ++i) {
    float* to = out.output.data() + (first + i) * p.value_dim();
    for (Index c = 0; c < p.value_dim(); ++c) to[c] = s.output[static_cast<std::size_t>(i * value.stride() + c)] / l[i];
    const double lse = (static_cast<double>(m[i]) + std::log2(static_cast<double>(l[i]))) * std::numbers::ln2;
    out.lse.data()[first + i] = static_cast<float>(lse + factors.lse_shift());
  }
}

}  // namespace

void fused(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Factors factors(p);
  const PaddedValues value(p);
#pragma omp parallel
  {
    Scratch scratch(factors, std::min(factorised_queries, p.queries()), value.stride());
#pragma omp for schedule(dynamic)
    for (Index first = 0; first < p.queries(); first += factorised_queries)
      attend_strip(p, factors, value, first, std::min(factorised_queries, p.queries() - first), scratch, out);
  }
}

std::size_t fused_workspace(const Problem& p) {
  const Index rows = std::min(factorised_queries, p.queries());
  const Index stride = round_up(p.value_dim(), simd::panel_columns);
  const Index each = FactorisedStrip::floats(p, rows) + rows * (Scratch::scores_stride + stride) + simd::tile_rows * stride;
  return (Factors::floats(p) + PaddedValues::floats(p) + static_cast<std::size_t>(omp_get_max_threads() * each)) * sizeof(float);
}

}  // namespace attention::additive
