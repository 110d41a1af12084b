// Rung 6, fused: one pass over the keys, the softmax corrected as it goes; no n × m matrix exists.
//
// What changed: the scores of a band of 48 queries and a block of 64 keys are all that is held, and they stay in the first-level
// cache. Each query keeps its maximum m_i, its sum l_i and its unnormalised output O_i; when a block of keys brings a larger
// maximum, what was gathered so far is scaled down by exp(m_i_old − m_i) (the online softmax: Milakov & Gimelshein 2018; in
// attention: Rabe & Staats 2021, Dao et al. 2022, algorithm 1). Exponentials are powers of two: log2(e) goes into the scale of Q
// beforehand.
//
// A query is a lane. Scores, weights and output are held transposed, a row a key (or a column of V), so that the softmax of 16 queries
// is that of one: no maximum and no sum across lanes, and one vector holds 16 factors alpha_i. Both products then have the form
// (rows that are broadcast) × (lanes of queries), and O_i is scaled as the second one's tile is added to it.
//
// Sums start anew after 32 products of a score and 32 keys of an output, and again after each block of keys that is fetched together:
// no long chain of additions is left, and the result is more precise than the plain sum's, also over 16,384 keys.
//
// Here is what meets what, and what is gathered. How a block is computed (packing, micro-kernel, 2^x) is block_arithmetic.cpp.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "rungs/decode.hpp"
#include "rungs/fused_pass.hpp"
#include "rungs/rungs.hpp"
#include "rungs/visible_keys.hpp"
#include "simd/finite.hpp"
#include "simd/transpose.hpp"

namespace attention::dot_product {

namespace {

using simd::Into;

/// How the problem is cut. Queries do not influence each other, so the height of a block of queries may follow the number of
/// threads, in whole bands; which keys are taken together decides the order of the sums and follows the shape alone.
struct Blocks {
  Index queries;
  Index keys;           ///< fetched together
  Index near;           ///< of them, keys whose scores are held at a time
  Index dim_words;      ///< of a packed row of Q or K
  Index value_dim;
  Index room;           ///< floats that packing takes
  Index widened;        ///< floats for a block of K and V that are stored in 16 bits
  Index packed_keys;    ///< words for a block of K; 0: it is read where it is
  Index packed_values;  ///< … of V
  Index share;          ///< blocks of queries that a thread takes at a time

  Blocks(const FusedProblem& p, const BlockArithmetic& arithmetic, const Cut& cut, int threads) {
    // A tall block fetches K and V seldom. But there should be four blocks a thread, so that none waits long for the last.
    const Index tallest = p.dim > 256 ? fused_queries / 4 : fused_queries;
    const Index rows = p.batch * p.queries * (p.rows_done ? 1 : p.heads);
    queries = std::clamp<Index>(round_up(rows / (4 * threads), band_queries), band_queries, tallest);
    // Equal heights: a last block of a few rows would fetch all of K and V for them.
    const Index count = (p.queries + queries - 1) / queries;
    queries = round_up((p.queries + count - 1) / count, band_queries);
    share = cut.balanced ? 1 : (p.batch * p.heads * count + threads - 1) / threads;
    // A block of K takes at most 400 KB, less than a second-level cache.
    keys = std::clamp<Index>(102400 / p.dim / near_keys * near_keys, near_keys, 512);
    if (!cut.blocked) keys = p.keys;
    keys = std::min(round_up(keys, near_keys), round_up(p.keys, near_keys));
    near = cut.blocked ? near_keys : keys;
    dim_words = arithmetic.words_of(p.dim);
    value_dim = p.value_dim;
    room = arithmetic.room(p.dim);
    const bool in_place = p.storage == simd::Storage::float32;
    widened = in_place ? 0 : keys * (p.dim + p.value_dim);
    packed_keys = arithmetic.packs_keys(queries, in_place ? p.key.row_stride : p.dim, p.dim) ? interleaved_size(keys, dim_words) : 0;
    const bool packs_values = arithmetic.packs_values(in_place ? p.value.row_stride : p.value_dim, p.value_dim);
    packed_values = packs_values ? interleaved_size(p.value_dim, arithmetic.words_of(keys)) : 0;
  }

  /// Of one thread's scratch memory.
  Index floats() const {
    return room + band_queries * (dim_words + near + 1 + value_dim + 2) + queries * (dim_words + value_dim + 2) + packed_keys + packed_values +
           widened;
  }
};

/// One thread's scratch memory.
struct Scratch {
  tensor::Buffer room, rows, query, key, value, wide, scores, output, m, l, alpha, near_output, near_m, near_l;
  std::vector<char> seen;  ///< a query has met a key that is not masked

  explicit Scratch(const Blocks& blocks)
      : room(size(blocks.room)),
        rows(size(band_queries * blocks.dim_words)),
        query(size(blocks.queries * blocks.dim_words)),
        key(size(blocks.packed_keys)),
        value(size(blocks.packed_values)),
        wide(size(blocks.widened)),
        scores(size(blocks.near * band_queries)),
        output(size(blocks.queries * blocks.value_dim)),
        m(size(blocks.queries)),
        l(size(blocks.queries)),
        alpha(size(band_queries)),
        near_output(size(band_queries * blocks.value_dim)),
        near_m(size(band_queries)),
        near_l(size(band_queries)),
        seen(size(blocks.queries)) {}

};

/// An entry of V that is no finite number: a weight of 0 does not silence it.
struct Blemish {
  Index key;  ///< in its block
  Index column;
  float value;
};

/// One block of queries: rows first … first + rows of one head, and what its threads hold for it.
class QueryBlock {
 public:
  QueryBlock(const FusedProblem& p, const BlockArithmetic& arithmetic, const Blocks& blocks, Scratch& scratch, Index b, Index h,
             Index first, Index rows)
      : p_(p),
        arithmetic_(arithmetic),
        blocks_(blocks),
        s_(scratch),
        b_(b),
        h_(h),
        key_head_(h / (p.heads / p.key_heads)),
        first_(first),
        rows_(rows),
        visible_(p, b, h) {}

  /// Over all keys that any of the rows sees.
  void attend() {
    for (Index i = 0; i < rows_; i += band_queries) pack_band(band(i));
    std::fill(s_.output.begin(), s_.output.end(), 0.F);
    std::fill(s_.m.begin(), s_.m.end(), -infinity);
    std::fill(s_.l.begin(), s_.l.end(), 0.F);
    std::ranges::fill(s_.seen, false);

    const Index begin = keys_of(0).first / blocks_.keys * blocks_.keys;
    const Index end = keys_of(rows_ - 1).last;
    for (Index j = begin; j < end; j += blocks_.keys)  // blocks of keys
      attend_keys(j, std::min(blocks_.keys, visible_.keys() - j), begin);
    for (Index i = 0; i < rows_; i += band_queries) write(band(i));
  }

 private:
  /// Queries that are computed together, a lane each, and what belongs to them: [words or columns][width].
  struct Band {
    Index first;  ///< in the block of queries
    Index rows;
    int vectors;
    float *query, *output, *m, *l;
    char* seen;

    Index width() const { return vectors * simd::lanes; }
  };

  Band band(Index i) const {
    const Index rows = std::min(band_queries, rows_ - i);
    return {i,
            rows,
            static_cast<int>((rows + simd::lanes - 1) / simd::lanes),
            s_.query.data() + i * blocks_.dim_words,
            s_.output.data() + i * p_.value_dim,
            s_.m.data() + i,
            s_.l.data() + i,
            s_.seen.data() + i};
  }

  /// The keys that row i of the block may see.
  KeyRange keys_of(Index i) const { return visible_.of(first_ + i); }

  /// Q, scaled and transposed; lanes without a query hold zeros.
  void pack_band(const Band& band) {
    for (Index y = 0; y < band.rows; ++y) {
      scale_query(p_, p_.query.row(b_, h_, first_ + band.first + y), s_.room.data());
      arithmetic_.pack_query(s_.room.data(), p_.dim, s_.rows.data() + y * blocks_.dim_words);
    }
    if (band.rows < band.width()) std::fill_n(band.query, band.width() * blocks_.dim_words, 0.F);
    simd::transpose(s_.rows.data(), blocks_.dim_words, band.rows, blocks_.dim_words, band.query, band.width());
  }

  void attend_keys(Index j, Index keys, Index first_block) {
    const Matrix given_key = rows_of_block(p_.key, p_.key16, p_.dim, j, keys, s_.wide.data());
    Matrix given_value = rows_of_block(p_.value, p_.value16, p_.value_dim, j, keys, s_.wide.data() + keys * p_.dim);
    blemishes_.clear();
    tensor::Buffer clean;
    if (visible_.masks() && !simd::all_finite(given_value.data, given_value.stride, keys, p_.value_dim))
      given_value = without_blemishes(given_value, keys, clean);
    const Interleaved key = arithmetic_.pack_keys(given_key, keys, p_.dim, rows_, s_.room.data(), s_.key.data());
    const Interleaved value = arithmetic_.pack_values(given_value, keys, p_.value_dim, s_.value.data());
    for (Index i = 0; i < rows_; i += band_queries) {
      // Only the keys that some query of the band sees: the others are skipped, not computed.
      const Band queries = band(i);
      const Index low = within(keys_of(i), j, keys).first / blocks_.near * blocks_.near;
      const Index high = within(keys_of(i + queries.rows - 1), j, keys).last;
      if (low < high) {
        const bool first = j == first_block;  // nothing was gathered before: it need not be joined
        const Band gathered = first ? queries : begin_block(queries);
        for (Index x = low; x < high; x += blocks_.near)
          attend_near(gathered, j, x, std::min(blocks_.near, high - x), key, value, x == low ? Into::replace : Into::add);
        if (!first) end_block(queries, gathered);
      }
      ask_for(j + keys + i * keys / rows_, j + keys + (i + queries.rows) * keys / rows_);
    }
  }

  /// Asks for keys first … last of K and V, so that the next block is near when its turn comes: each band asks for a part of it.
  void ask_for(Index first, Index last) const {
    if (p_.storage != simd::Storage::float32) return;
    constexpr Index line = 64 / sizeof(float);
    constexpr int second_level = 2;
    for (Index j = first; j < std::min(last, visible_.keys()); ++j) {
      for (Index c = 0; c < p_.dim; c += line) __builtin_prefetch(p_.key.row(b_, key_head_, j) + c, 0, second_level);
      for (Index c = 0; c < p_.value_dim; c += line) __builtin_prefetch(p_.value.row(b_, key_head_, j) + c, 0, second_level);
    }
  }

  /// Rows j … j + count of K or V: where they are, or in `wide`.
  Matrix rows_of_block(const Rows<const float>& rows, const Rows<const std::uint16_t>& rows16, Index width, Index j, Index count,
                       float* wide) const {
    if (p_.storage == simd::Storage::float32) return {rows.row(b_, key_head_, j), rows.row_stride};
    for (Index y = 0; y < count; ++y) simd::widen_row(p_.storage, rows16.row(b_, key_head_, j + y), width, wide + y * width);
    return {wide, width};
  }

  /// V with zeros in the place of what is not finite, which is noted down.
  Matrix without_blemishes(Matrix value, Index keys, tensor::Buffer& clean) {
    clean.resize(static_cast<std::size_t>(keys * p_.value_dim));
    for (Index y = 0; y < keys; ++y)
      for (Index c = 0; c < p_.value_dim; ++c) {
        const float v = value.from_row(y).data[c];
        if (!std::isfinite(v)) blemishes_.push_back({y, c, v});
        clean[static_cast<std::size_t>(y * p_.value_dim + c)] = std::isfinite(v) ? v : 0;
      }
    return {clean.data(), p_.value_dim};
  }

  /// What a band gathers from one block of keys has sums of its own: l begins at nothing, m where it is, O with its first keys.
  /// Thousands of keys added to one total, near after near, would lose three times as much.
  Band begin_block(const Band& band) {
    Band gathered = band;
    gathered.output = s_.near_output.data();
    gathered.m = s_.near_m.data();
    gathered.l = s_.near_l.data();
    std::copy_n(band.m, band.width(), gathered.m);
    std::fill_n(gathered.l, band.width(), 0.F);
    return gathered;
  }

  /// What was gathered joins what the band had before.
  void end_block(const Band& band, const Band& gathered) {
    float* alpha = s_.alpha.data();
    for (Index y = 0; y < band.width(); y += simd::lanes) {
      const simd::Float m_old = simd::load(band.m + y);
      const simd::Float m_new = simd::load(gathered.m + y);
      const simd::Float factor = m_old == simd::broadcast(-infinity) ? simd::Float{} : simd::exp2(m_old - m_new);
      simd::store(alpha + y, factor);
      simd::store(band.l + y, factor * simd::load(band.l + y) + simd::load(gathered.l + y));
      simd::store(band.m + y, m_new);
    }
    const Index width = band.width();
    for (Index c = 0; c < p_.value_dim; ++c) {
      float* column = band.output + c * width;
      const float* more = gathered.output + c * width;
#pragma omp simd
      for (Index y = 0; y < width; ++y) column[y] = alpha[y] * column[y] + more[y];
    }
  }

  /// A band of queries meets keys x … x + count of the block that begins at key j.
  void attend_near(const Band& band, Index j, Index x, Index count, Interleaved key, Interleaved value, Into into) {
    float* scores = s_.scores.data();
    arithmetic_.scores(band.query, band.vectors, key, x, count, p_.dim, scores);
    visible_.bias_and_mask(scores, band.width(), first_ + band.first, band.rows, j + x, count, band.seen);
    arithmetic_.softmax(scores, count, band.vectors, band.m, band.l, s_.alpha.data());
    arithmetic_.values(scores, band.vectors, value, x, count, p_.value_dim, into == Into::add ? s_.alpha.data() : nullptr, band.output);
    for (const Blemish& blemish : blemishes_)  // where it is seen, the output is no finite number either
      if (x <= blemish.key && blemish.key < x + count)
        for (Index y = 0; y < band.rows; ++y)
          if (visible_.sees(first_ + band.first + y, j + blemish.key)) band.output[blemish.column * band.width() + y] += blemish.value;
  }

  /// output = O_i / l_i, and the log-sum-exp; a query that has seen no key becomes 0, its log-sum-exp −inf.
  void write(const Band& band) {
    float* factor = s_.alpha.data();
    for (Index y = 0; y < band.width(); ++y) factor[y] = y < band.rows && band.seen[y] ? 1 / band.l[y] : 1;  // 0 · 1 where nothing is seen
    for (Index c = 0; c < p_.value_dim; ++c) {
      float* column = band.output + c * band.width();
#pragma omp simd
      for (Index y = 0; y < band.width(); ++y) column[y] *= factor[y];
    }
    simd::transpose(band.output, band.width(), p_.value_dim, band.rows, p_.output.row(b_, h_, first_ + band.first), p_.output.row_stride);
    if (!p_.lse) return;
    float* lse = p_.lse + (b_ * p_.heads + h_) * p_.queries + first_ + band.first;
    for (Index y = 0; y < band.rows; ++y) lse[y] = band.seen[y] ? band.m[y] * simd::ln_2 + std::log(band.l[y]) : -infinity;
  }

  const FusedProblem& p_;
  const BlockArithmetic& arithmetic_;
  const Blocks& blocks_;
  Scratch& s_;
  Index b_, h_, key_head_, first_, rows_;
  VisibleKeys visible_;
  std::vector<Blemish> blemishes_;  ///< of the block of keys at hand, if masks may hide them
};

}  // namespace

void fused_pass(const FusedProblem& p, const BlockArithmetic& arithmetic, const Cut& cut) {
  if (is_decoding(p)) {
    decode_attention(p);
    for (Index b = 0; p.rows_done && b < p.batch; ++b) p.rows_done(b, 0, p.queries);
    return;
  }
  const Blocks blocks(p, arithmetic, cut, omp_get_max_threads());
  // The last block of a head first: with a causal mask it is the longest.
  const Index count = (p.queries + blocks.queries - 1) / blocks.queries;
#pragma omp parallel
  {
    Scratch scratch(blocks);
    const auto attend = [&](Index b, Index h, Index first) {
      QueryBlock(p, arithmetic, blocks, scratch, b, h, first, std::min(blocks.queries, p.queries - first)).attend();
    };
    if (p.rows_done) {
#pragma omp for collapse(2) schedule(dynamic)
      for (Index b = 0; b < p.batch; ++b)
        for (Index turn = 0; turn < count; ++turn) {
          const Index first = (count - 1 - turn) * blocks.queries;
          for (Index h = 0; h < p.heads; ++h) attend(b, h, first);
          p.rows_done(b, first, std::min(blocks.queries, p.queries - first));
        }
    } else {
#pragma omp for collapse(3) schedule(dynamic, blocks.share)
      for (Index b = 0; b < p.batch; ++b)
        for (Index h = 0; h < p.heads; ++h)
          for (Index turn = 0; turn < count; ++turn) attend(b, h, (count - 1 - turn) * blocks.queries);
    }
  }
}

std::size_t fused_pass_workspace(const FusedProblem& p, const BlockArithmetic& arithmetic, const Cut& cut) {
  if (is_decoding(p)) return decode_workspace(p);
  const int threads = omp_get_max_threads();
  return static_cast<std::size_t>(threads * Blocks(p, arithmetic, cut, threads).floats()) * sizeof(float);
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

void fused_pass(const Problem& p, Output& out, const BlockArithmetic& arithmetic, const Cut& cut) {
  prepare(p, out, false);
  FusedProblem f = in_place(p);
  f.output.data = out.output.data();
  f.lse = out.lse.data();
  fused_pass(f, arithmetic, cut);
}

std::size_t fused_pass_workspace(const Problem& p, const BlockArithmetic& arithmetic, const Cut& cut) {
  return fused_pass_workspace(in_place(p), arithmetic, cut);
}

void fused_attention(const FusedProblem& p) { fused_pass(p, BlockArithmetic()); }
std::size_t fused_attention_workspace(const FusedProblem& p) { return fused_pass_workspace(p, BlockArithmetic()); }

void fused(const Problem& p, Output& out) { fused_pass(p, out, BlockArithmetic()); }
std::size_t fused_workspace(const Problem& p) { return fused_pass_workspace(p, BlockArithmetic()); }

}  // namespace attention::dot_product
