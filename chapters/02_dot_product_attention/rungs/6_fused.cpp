// Rung 6, fused: one pass over the keys, the softmax corrected as it goes; no n × m matrix exists.
//
// What changed: the scores of a band of 24 queries (96 where the vectors are long) and one block of at most 512 keys are all
// that is held, and they stay in the second-level cache; a panel of K or V serves all the band's strips of 12 queries. Each row
// keeps its maximum m_i, its sum l_i and its unnormalised output O_i; when a block of keys brings a larger maximum, what was
// gathered so far is scaled down by exp(m_i_old − m_i) (the online softmax: Milakov & Gimelshein 2018; in attention: Rabe &
// Staats 2021, Dao et al. 2022, algorithm 1). Exponentials are powers of two: log2(e) goes into the scale of Q beforehand.
//
// Sums start anew after 16 products of a score and 32 keys of an output, and a block of keys is added as a whole: no long
// chain of additions is left, and the result is more precise than the plain sum's.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "rungs/packing.hpp"
#include "rungs/rungs.hpp"
#include "simd/exp2.hpp"

namespace attention::dot_product {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Queries whose scores are held at a time, at most: eight strips of the micro-kernel.
constexpr Index tallest_band = 8 * simd::tile_rows;

/// Depth of a panel of K that stays in the nearest cache (16 KB of 32) while a band's strips pass over it.
constexpr Index near_depth = 128;

/// How the problem is cut. Rows do not influence each other, so the height of a block of queries may follow the number of
/// threads; the width of a block of keys decides the order of the sums and follows the shape alone.
struct Blocks {
  Index queries;
  Index band;  ///< queries whose scores are held at a time
  Index keys;
  Index scores_stride;  ///< of a row of scores: a little more than a power of two, whose rows would share cache lines
  Index value_stride;  ///< value_dim rounded up to whole panels

  Blocks(const Problem& p, int threads) {
    // A tall block packs K seldom. But there should be four blocks a thread, so that none waits long for the last.
    const Index tallest = p.dim() > 256 ? fused_queries / 4 : fused_queries;
    const Index rows = p.batch() * p.heads() * p.queries();
    queries = std::clamp<Index>(round_up(rows / (4 * threads), simd::tile_rows), simd::tile_rows, tallest);
    // Equal heights: a last block of a few rows would pack all of K for them.
    const Index count = (p.queries() + queries - 1) / queries;
    queries = round_up((p.queries() + count - 1) / count, simd::tile_rows);
    // Long vectors: a tall band, so that each part of K that is fetched serves many strips. Short ones: a low band, so that
    // its scores of many keys stay near.
    band = std::min(p.dim() > near_depth ? tallest_band : 2 * simd::tile_rows, queries);
    // The packed block of K takes at most 400 KB, less than a second-level cache.
    keys = std::clamp<Index>(102400 / p.dim() / simd::panel_columns * simd::panel_columns, simd::panel_columns, 512);
    keys = std::min(keys, round_up(p.keys(), simd::panel_columns));
    scores_stride = keys + simd::lanes;
    value_stride = round_up(p.value_dim(), simd::panel_columns);
  }
};

/// One thread's scratch memory.
struct Scratch {
  tensor::Buffer query, key, value, scores, sum, output, m, l;

  Scratch(const Problem& p, const Blocks& blocks)
      : query(size(blocks.queries * p.dim())),
        key(size(blocks.keys * p.dim())),
        value(size(blocks.value_stride == p.value_dim() ? 0 : blocks.keys * blocks.value_stride)),
        scores(size(blocks.band * blocks.scores_stride)),
        sum(size(blocks.band * blocks.value_stride)),
        output(size(blocks.queries * blocks.value_stride)),
        m(size(blocks.queries)),
        l(size(blocks.queries)) {}

  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
};

/// scores[i][j] = q_i · k_j for a band of queries and a block of packed keys.
void band_scores(const float* query, Index rows, const float* packed, Index keys, Index dim, float* scores,
                 Index stride) {
  for (Index j = 0; j < keys; j += simd::panel_columns)        // panels of keys
    for (Index c = 0; c < dim; c += near_depth)                // a part of the panel that stays in the nearest cache
      for (Index i = 0; i < rows; i += simd::tile_rows) {      // strips of 12 queries
        const auto multiply = c == 0 ? simd::multiply_strip<simd::Into::replace> : simd::multiply_strip<simd::Into::add>;
        multiply(std::min<Index>(simd::tile_rows, rows - i), std::min(near_depth, dim - c), depth_block,
                 query + i * dim + c, dim, packed + j * dim + c * simd::panel_columns, simd::panel_columns,
                 scores + i * stride + j, stride);
      }
}

/// One row of scores becomes 2^(score − m_i); m_i and l_i take the block in. Gives exp(m_i_old − m_i), by which what
/// the row has gathered so far must be scaled. `keys` is a whole number of panels.
float online_softmax(float* row, Index keys, float& m_i, float& l_i) {
  // Two running maxima and two sums, so that none waits for the one before.
  simd::Float largest[2] = {simd::broadcast(m_i), simd::broadcast(m_i)};
  for (Index j = 0; j < keys; j += simd::panel_columns)
    simd::unrolled<2>([&](auto x) { largest[x] = simd::max(simd::load(row + j + x * simd::lanes), largest[x]); });
  const float m_new = simd::maximum(simd::max(largest[0], largest[1]));
  // As long as every score was −inf there is nothing to subtract (−inf − −inf would be NaN), and nothing was gathered.
  const float subtract = m_new == -infinity ? 0 : m_new;
  const float alpha = m_i == -infinity ? 0 : simd::exp2(simd::broadcast(m_i - subtract))[0];

  simd::Float sum[2] = {};
  for (Index j = 0; j < keys; j += simd::panel_columns)
    simd::unrolled<2>([&](auto x) {
      float* score = row + j + x * simd::lanes;
      const simd::Float e = simd::exp2(simd::load(score) - simd::broadcast(subtract));
      simd::store(score, e);
      sum[x] += e;
    });
  l_i = alpha * l_i + simd::sum(sum[0] + sum[1]);
  m_i = m_new;
  return alpha;
}

/// sum_i = Σ_j weights[i][j] · v_j for a band of queries and a block of keys; its rows are value.stride long.
void band_values(const float* weights, Index stride, Index rows, Index keys, Values value, float* sum) {
  for (Index c = 0; c < value.stride; c += simd::panel_columns)    // panels of V's columns
    for (Index i = 0; i < rows; i += simd::tile_rows)              // strips of 12 queries
      simd::multiply_strip<simd::Into::replace>(std::min<Index>(simd::tile_rows, rows - i), keys, values_block,
                                                weights + i * stride, stride, value.data + c, value.stride,
                                                sum + i * value.stride + c, value.stride);
}

/// The queries first … first + rows of one head, over all its keys.
void attend_block(const Problem& p, const Blocks& blocks, Index head, Index first, Index rows, Scratch& s, Output& out) {
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const Index row = head * p.queries() + first;

  // Q · scale · log2(e): from here on exponentials are powers of two. The factor is kept in float64, since its rounding
  // would shift all scores together.
  const double factor = static_cast<double>(p.scale) * std::numbers::log2e;
  const float* query = p.query.data() + row * dim;
  for (Index i = 0; i < rows * dim; ++i)
    s.query[static_cast<std::size_t>(i)] = static_cast<float>(static_cast<double>(query[i]) * factor);
  std::fill(s.output.begin(), s.output.end(), 0.F);
  std::fill(s.m.begin(), s.m.end(), -infinity);
  std::fill(s.l.begin(), s.l.end(), 0.F);

  for (Index j = 0; j < p.keys(); j += blocks.keys) {  // blocks of keys
    const Index keys = std::min(blocks.keys, p.keys() - j);
    const Index padded_keys = round_up(keys, simd::panel_columns);
    pack_keys(p.key.data() + (head * p.keys() + j) * dim, keys, dim, s.key.data());
    const Values value = pad_values(p.value.data() + (head * p.keys() + j) * value_dim, keys, value_dim, s.value.data());

    for (Index i = 0; i < rows; i += blocks.band) {  // bands of queries
      const Index height = std::min(blocks.band, rows - i);
      band_scores(s.query.data() + i * dim, height, s.key.data(), padded_keys, dim, s.scores.data(), blocks.scores_stride);
      float alpha[tallest_band];
      for (Index y = 0; y < height; ++y) {
        float* scores = s.scores.data() + y * blocks.scores_stride;
        std::fill(scores + keys, scores + padded_keys, -infinity);  // keys that do not exist get no weight
        const auto r = static_cast<std::size_t>(i + y);
        alpha[y] = online_softmax(scores, padded_keys, s.m[r], s.l[r]);
      }
      band_values(s.scores.data(), blocks.scores_stride, height, keys, value, s.sum.data());
      for (Index y = 0; y < height; ++y) {
        // O_i = alpha_i · O_i + the block's part
        float* output = s.output.data() + (i + y) * value.stride;
        const float* sum = s.sum.data() + y * value.stride;
        for (Index c = 0; c < value.stride; ++c) output[c] = alpha[y] * output[c] + sum[c];
      }
    }
  }

  for (Index i = 0; i < rows; ++i) {
    const float l_i = s.l[static_cast<std::size_t>(i)];
    const float* from = s.output.data() + i * blocks.value_stride;
    float* to = out.output.data() + (row + i) * value_dim;
    for (Index c = 0; c < value_dim; ++c) to[c] = from[c] / l_i;
    const float m_i = s.m[static_cast<std::size_t>(i)];
    out.lse.data()[row + i] = m_i * simd::ln_2 + std::log(l_i);
  }
}

}  // namespace

void fused(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Blocks blocks(p, omp_get_max_threads());
  const Index all_heads = p.batch() * p.heads();
#pragma omp parallel
  {
    Scratch scratch(p, blocks);
#pragma omp for collapse(2) schedule(dynamic)
    for (Index head = 0; head < all_heads; ++head)
      for (Index first = 0; first < p.queries(); first += blocks.queries)
        attend_block(p, blocks, head, first, std::min(blocks.queries, p.queries() - first), scratch, out);
  }
}

std::size_t fused_workspace(const Problem& p) {
  const int threads = omp_get_max_threads();
  const Blocks b(p, threads);
  const Index floats = b.queries * (p.dim() + b.value_stride + 2) + b.keys * (p.dim() + b.value_stride) +
                       b.band * (b.scores_stride + b.value_stride);
  return static_cast<std::size_t>(threads * floats) * sizeof(float);
}

}  // namespace attention::dot_product
