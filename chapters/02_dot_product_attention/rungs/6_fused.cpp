// Rung 6, fused: one pass over the keys, the softmax corrected as it goes; no n × m matrix exists.
//
// What changed: the scores of a band of 24 queries (96 where the vectors are long) and one block of at most 512 keys are all
// that is held, and they stay in the second-level cache; a panel of K or V serves all the band's strips of 6 queries. Each row
// keeps its maximum m_i, its sum l_i and its unnormalised output O_i; when a block of keys brings a larger maximum, what was
// gathered so far is scaled down by exp(m_i_old − m_i) (the online softmax: Milakov & Gimelshein 2018; in attention: Rabe &
// Staats 2021, Dao et al. 2022, algorithm 1). Exponentials are powers of two: log2(e) goes into the scale of Q beforehand.
//
// Sums start anew after 16 products of a score and 32 keys of an output, and a block of keys is added as a whole: no long
// chain of additions is left, and the result is more precise than the plain sum's.
#include <omp.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "fused_attention.hpp"
#include "rungs/decode.hpp"
#include "rungs/online_softmax.hpp"
#include "rungs/packing.hpp"
#include "rungs/rungs.hpp"
#include "rungs/visible_keys.hpp"
#include "simd/finite.hpp"

namespace attention::dot_product {

namespace {

/// Queries whose scores are held at a time, at most: sixteen strips of the micro-kernel.
constexpr Index tallest_band = 16 * simd::tile_rows;

/// Depth of a panel of K that stays in the nearest cache (16 KB of 32) while a band's strips pass over it.
constexpr Index near_depth = 64;

/// Where a band may start in a block of keys: sums that start anew there start anew in every band, whatever it sees.
constexpr Index whole_sums = std::lcm(values_block, simd::panel_columns);

/// How the problem is cut. Rows do not influence each other, so the height of a block of queries may follow the number of
/// threads; the width of a block of keys decides the order of the sums and follows the shape alone.
struct Blocks {
  Index queries;
  Index band;  ///< queries whose scores are held at a time
  Index keys;
  Index scores_stride;  ///< of a row of scores: a little more than a power of two, whose rows would share cache lines
  Index value_stride;  ///< value_dim rounded up to whole vectors
  Index widened;       ///< floats for a block of K or V that is stored in 16 bits
  bool pads_values;    ///< V cannot be read where it is

  Blocks(const FusedProblem& p, int threads) {
    // A tall block packs K seldom. But there should be four blocks a thread, so that none waits long for the last.
    const Index tallest = p.dim > 256 ? fused_queries / 4 : fused_queries;
    const Index rows = p.batch * p.heads * p.queries;
    queries = std::clamp<Index>(round_up(rows / (4 * threads), simd::tile_rows), simd::tile_rows, tallest);
    // Equal heights: a last block of a few rows would pack all of K for them.
    const Index count = (p.queries + queries - 1) / queries;
    queries = round_up((p.queries + count - 1) / count, simd::tile_rows);
    // Long vectors: a tall band, so that each part of K that is fetched serves many strips. Short ones: a low band, so that
    // its scores of many keys stay near.
    band = std::min(p.dim > 2 * near_depth ? tallest_band : 4 * simd::tile_rows, queries);
    // The packed block of K takes at most 400 KB, less than a second-level cache.
    keys = std::clamp<Index>(102400 / p.dim / simd::panel_columns * simd::panel_columns, simd::panel_columns, 512);
    keys = std::min(keys, round_up(p.keys, simd::panel_columns));
    scores_stride = keys + simd::lanes;
    value_stride = round_up(p.value_dim, simd::lanes);
    const bool in_place = p.storage == simd::Storage::float32;
    widened = in_place ? 0 : keys * std::max(p.dim, p.value_dim);
    pads_values = !values_fit(in_place ? p.value.row_stride : p.value_dim, p.value_dim, simd::lanes);
  }
};

/// One thread's scratch memory.
struct Scratch {
  tensor::Buffer query, key, value, wide, scores, sum, output, m, l;
  std::vector<char> seen;  ///< a row has met a key that is not masked

  Scratch(const FusedProblem& p, const Blocks& blocks)
      : query(size(blocks.queries * p.dim)),
        key(size(blocks.keys * p.dim)),
        value(size(blocks.pads_values ? blocks.keys * blocks.value_stride : 0)),
        wide(size(blocks.widened)),
        scores(size(blocks.band * blocks.scores_stride)),
        sum(size(blocks.band * blocks.value_stride)),
        output(size(blocks.queries * blocks.value_stride)),
        m(size(blocks.queries)),
        l(size(blocks.queries)),
        seen(size(blocks.queries)) {}

  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
};

/// The vectors of a panel that its first `columns` columns fill.
int vectors_of(Index columns) {
  return static_cast<int>((std::min<Index>(columns, simd::panel_columns) + simd::lanes - 1) / simd::lanes);
}

/// scores[i][j] = q_i · k_j for a band of queries and a block of packed keys.
void band_scores(const float* query, Index rows, const float* packed, Index keys, Index dim, float* scores, Index stride) {
  for (Index j = 0; j < keys; j += simd::panel_columns)      // panels of keys
    for (Index c = 0; c < dim; c += near_depth)              // a part of the panel that stays in the nearest cache
      for (Index i = 0; i < rows; i += simd::tile_rows) {    // strips of queries
        const auto multiply = c == 0 ? simd::multiply_strip<simd::Into::replace> : simd::multiply_strip<simd::Into::add>;
        multiply(std::min<Index>(simd::tile_rows, rows - i), std::min(near_depth, dim - c), depth_block,
                 query + i * dim + c, dim, packed + j * dim + c * simd::panel_columns, simd::panel_columns,
                 scores + i * stride + j, stride, vectors_of(keys - j));
      }
}

/// sum_i = Σ_j weights[i][j] · v_j for a band of queries and a block of keys; its rows are `sum_stride` long.
void band_values(const float* weights, Index stride, Index rows, Index keys, Values value, float* sum, Index sum_stride) {
  for (Index c = 0; c < sum_stride; c += simd::panel_columns)  // panels of V's columns
    for (Index i = 0; i < rows; i += simd::tile_rows)          // strips of queries
      simd::multiply_strip<simd::Into::replace>(std::min<Index>(simd::tile_rows, rows - i), keys, values_block,
                                                weights + i * stride, stride, value.data + c, value.stride,
                                                sum + i * sum_stride + c, sum_stride, vectors_of(sum_stride - c));
}

/// band_values for one row that must not touch the values it does not see: a weight of 0 does not silence NaN or infinity.
/// The same sums in the same order, over zeros in their place.
template <class Sees>
void row_values(const float* weights, Sees sees, Index keys, Values value, float* sum, Index sum_stride) {
  tensor::Buffer visible(static_cast<std::size_t>(keys * sum_stride), 0.F);
  for (Index j = 0; j < keys; ++j)
    if (sees(j)) std::copy_n(value.data + j * value.stride, sum_stride, visible.data() + j * sum_stride);
  band_values(weights, keys, 1, keys, {visible.data(), sum_stride}, sum, sum_stride);
}

/// One block of queries: rows first … first + rows of one head, and what its threads hold for it.
class QueryBlock {
 public:
  QueryBlock(const FusedProblem& p, const Blocks& blocks, Scratch& scratch, Index b, Index h, Index first, Index rows)
      : p_(p), blocks_(blocks), s_(scratch), b_(b), h_(h), key_head_(h / (p.heads / p.key_heads)), first_(first), rows_(rows), visible_(p, b, h) {}

  /// Over all keys that any of the rows sees.
  void attend() {
    for (Index i = 0; i < rows_; ++i) scale_query(p_, p_.query.row(b_, h_, first_ + i), s_.query.data() + i * p_.dim);
    std::fill(s_.output.begin(), s_.output.end(), 0.F);
    std::fill(s_.m.begin(), s_.m.end(), -infinity);
    std::fill(s_.l.begin(), s_.l.end(), 0.F);
    std::ranges::fill(s_.seen, false);

    const Index begin = keys_of(0).first / blocks_.keys * blocks_.keys;
    const Index end = keys_of(rows_ - 1).last;
    for (Index j = begin; j < end; j += blocks_.keys)  // blocks of keys
      attend_keys(j, std::min(blocks_.keys, visible_.keys() - j));
    write();
  }

 private:
  /// The keys that row i of the block may see.
  KeyRange keys_of(Index i) const { return visible_.of(first_ + i); }

  void attend_keys(Index j, Index keys) {
    Values value;
    if (p_.storage == simd::Storage::float32) {
      pack_keys(p_.key.row(b_, key_head_, j), p_.key.row_stride, keys, p_.dim, s_.key.data());
      value = pad_values(p_.value.row(b_, key_head_, j), p_.value.row_stride, keys, p_.value_dim, simd::lanes, s_.value.data());
    } else {
      widen_rows(p_.key16, j, keys, p_.dim, s_.wide.data());
      pack_keys(s_.wide.data(), p_.dim, keys, p_.dim, s_.key.data());
      widen_rows(p_.value16, j, keys, p_.value_dim, s_.wide.data());
      value = pad_values(s_.wide.data(), p_.value_dim, keys, p_.value_dim, simd::lanes, s_.value.data());
    }
    const bool careful = visible_.masks() && !simd::all_finite(value.data, value.stride, keys, p_.value_dim);
    for (Index i = 0; i < rows_; i += blocks_.band)  // bands of queries
      attend_band(i, std::min(blocks_.band, rows_ - i), j, keys, value, careful);
  }

  /// Keys j … j + keys of a matrix that is stored in 16 bits.
  void widen_rows(const Rows<const std::uint16_t>& from, Index j, Index keys, Index width, float* to) const {
    for (Index y = 0; y < keys; ++y) simd::widen_row(p_.storage, from.row(b_, key_head_, j + y), width, to + y * width);
  }

  void attend_band(Index i, Index height, Index j, Index keys, Values value, bool careful) {
    // Only the keys that some row of the band sees: the others are skipped, not computed.
    const Index low = within(keys_of(i), j, keys).first / whole_sums * whole_sums;
    const Index high = within(keys_of(i + height - 1), j, keys).last;
    if (low >= high) return;
    const Index count = high - low;
    const Index padded = round_up(count, simd::lanes);
    const Values seen_values{value.data + low * value.stride, value.stride};

    band_scores(s_.query.data() + i * p_.dim, height, s_.key.data() + low * p_.dim, count, p_.dim, s_.scores.data(),
                blocks_.scores_stride);
    float alpha[tallest_band];
    for (Index y = 0; y < height; ++y) {
      float* scores = s_.scores.data() + y * blocks_.scores_stride;
      const auto r = static_cast<std::size_t>(i + y);
      if (visible_.bias_and_mask(scores, first_ + i + y, j + low, count, padded)) s_.seen[r] = true;
      alpha[y] = online_softmax(scores, padded, s_.m[r], s_.l[r]);
    }
    if (careful) {
      for (Index y = 0; y < height; ++y) {
        const auto sees = [&](Index x) { return visible_.sees(first_ + i + y, j + low + x); };
        row_values(s_.scores.data() + y * blocks_.scores_stride, sees, count, seen_values,
                   s_.sum.data() + y * blocks_.value_stride, blocks_.value_stride);
      }
    } else {
      band_values(s_.scores.data(), blocks_.scores_stride, height, count, seen_values, s_.sum.data(), blocks_.value_stride);
    }
    for (Index y = 0; y < height; ++y) {
      // O_i = alpha_i · O_i + the block's part
      float* output = s_.output.data() + (i + y) * blocks_.value_stride;
      const float* sum = s_.sum.data() + y * blocks_.value_stride;
      for (Index c = 0; c < blocks_.value_stride; ++c) output[c] = alpha[y] * output[c] + sum[c];
    }
  }

  void write() {
    for (Index i = 0; i < rows_; ++i) {
      const auto r = static_cast<std::size_t>(i);
      write_row(p_, b_, h_, first_ + i, s_.output.data() + i * blocks_.value_stride, s_.m[r], s_.l[r], s_.seen[r]);
    }
  }

  const FusedProblem& p_;
  const Blocks& blocks_;
  Scratch& s_;
  Index b_, h_, key_head_, first_, rows_;
  VisibleKeys visible_;
};

}  // namespace

void fused_attention(const FusedProblem& p) {
  if (is_decoding(p)) return decode_attention(p);
  const Blocks blocks(p, omp_get_max_threads());
  // The last block of a head first: with a causal mask it is the longest.
  const Index count = (p.queries + blocks.queries - 1) / blocks.queries;
#pragma omp parallel
  {
    Scratch scratch(p, blocks);
#pragma omp for collapse(3) schedule(dynamic)
    for (Index b = 0; b < p.batch; ++b)
      for (Index h = 0; h < p.heads; ++h)
        for (Index turn = 0; turn < count; ++turn) {
          const Index first = (count - 1 - turn) * blocks.queries;
          QueryBlock(p, blocks, scratch, b, h, first, std::min(blocks.queries, p.queries - first)).attend();
        }
  }
}

std::size_t fused_attention_workspace(const FusedProblem& p) {
  if (is_decoding(p)) return decode_workspace(p);
  const int threads = omp_get_max_threads();
  const Blocks b(p, threads);
  const Index floats = b.queries * (p.dim + b.value_stride + 3) + b.keys * (p.dim + b.value_stride) + b.widened +
                       b.band * (b.scores_stride + b.value_stride);
  return static_cast<std::size_t>(threads * floats) * sizeof(float);
}

namespace {

/// The problem as it lies in memory: [batch, heads, n, dim].
FusedProblem in_place(const Problem& p) {
  FusedProblem f;
  f.batch = p.batch();
  f.heads = p.heads();
  f.key_heads = p.key_heads();
  f.queries = p.queries();
  f.keys = p.keys();
  f.dim = p.dim();
  f.value_dim = p.value_dim();
  f.query = rows_of(p.query.data(), f.heads, f.queries, f.dim);
  f.key = rows_of(p.key.data(), f.key_heads, f.keys, f.dim);
  f.value = rows_of(p.value.data(), f.key_heads, f.keys, f.value_dim);
  f.storage = p.storage;
  f.key16 = rows_of(p.key16.data(), f.key_heads, f.keys, f.dim);
  f.value16 = rows_of(p.value16.data(), f.key_heads, f.keys, f.value_dim);
  f.output = rows_of(static_cast<float*>(nullptr), f.heads, f.queries, f.value_dim);
  f.scale = p.scale;
  f.mask = p.mask;
  if (!p.positions.empty()) f.positions = p.positions.data();
  return f;
}

}  // namespace

void fused(const Problem& p, Output& out) {
  prepare(p, out, false);
  FusedProblem f = in_place(p);
  f.output.data = out.output.data();
  f.lse = out.lse.data();
  fused_attention(f);
}

std::size_t fused_workspace(const Problem& p) { return fused_attention_workspace(in_place(p)); }

}  // namespace attention::dot_product
