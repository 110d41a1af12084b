// Rung 6, fused: one pass over the keys, the softmax corrected as it goes; no n × m matrix exists.
//
// What changed: the scores of a band of 24 queries (96 where the vectors are long) and one block of at most 512 keys are all
// that is held, and they stay in the second-level cache; a panel of K or V serves all the band's strips of 6 queries. Each row
// keeps its maximum m_i, its sum l_i and its unnormalised output O_i; when a block of keys brings a larger maximum, what was
// gathered so far is scaled down by exp(m_i_old − m_i) (the online softmax: Milakov & Gimelshein 2018; in attention: Rabe &
// Staats 2021, Dao et al. 2022, algorithm 1). Exponentials are powers of two: log2(e) goes into the scale of Q beforehand.
//
// Sums start anew after 32 products of a score and 32 keys of an output, and a block of keys is added as a whole: no long
// chain of additions is left, and the result is more precise than the plain sum's.
//
// Here is what meets what, and what is gathered. How a block is computed (packing, micro-kernel, 2^x) is block_arithmetic.cpp.
#include <omp.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>
#include <vector>

#include "rungs/decode.hpp"
#include "rungs/fused_pass.hpp"
#include "rungs/rungs.hpp"
#include "rungs/visible_keys.hpp"

namespace attention::dot_product {

namespace {

/// Queries whose scores are held at a time: sixteen strips of the micro-kernel where vectors are long (each part of K that is
/// fetched then serves many), four where they are short (the scores of many keys then stay near).
constexpr Index long_dim = 128;
constexpr Index tall_band = 16 * simd::tile_rows;
constexpr Index low_band = 4 * simd::tile_rows;

/// Where a band may start in a block of keys: sums that start anew there start anew in every band, whatever it sees.
constexpr Index whole_sums = std::lcm(2 * values_block, simd::panel_columns);

/// How the problem is cut. Rows do not influence each other, so the height of a block of queries may follow the number of
/// threads; the width of a block of keys decides the order of the sums and follows the shape alone.
struct Blocks {
  Index queries;
  Index band;  ///< queries whose scores are held at a time
  Index keys;
  Index scores_stride;  ///< of a row of scores: a little more than a power of two, whose rows would share cache lines
  Index value_stride;   ///< value_dim rounded up to whole vectors
  Index dim_words;      ///< of a packed row of Q or K
  Index room;           ///< floats that packing takes
  Index widened;        ///< floats for a block of K and V that are stored in 16 bits
  Index packed_values;  ///< words for a block of V; 0: it is read where it is
  Index share;          ///< blocks of queries that a thread takes at a time

  Blocks(const FusedProblem& p, const BlockArithmetic& arithmetic, const Cut& cut, int threads) {
    // A tall block packs K seldom. But there should be four blocks a thread, so that none waits long for the last.
    const Index tallest = p.dim > 256 ? fused_queries / 4 : fused_queries;
    const Index rows = p.batch * p.queries * (p.rows_done ? 1 : p.heads);
    queries = std::clamp<Index>(round_up(rows / (4 * threads), simd::tile_rows), simd::tile_rows, tallest);
    // Equal heights: a last block of a few rows would pack all of K for them.
    const Index count = (p.queries + queries - 1) / queries;
    queries = round_up((p.queries + count - 1) / count, simd::tile_rows);
    share = cut.balanced ? 1 : (p.batch * p.heads * count + threads - 1) / threads;
    // The packed block of K takes at most 400 KB, less than a second-level cache.
    keys = std::clamp<Index>(102400 / p.dim / simd::panel_columns * simd::panel_columns, simd::panel_columns, 512);
    band = std::min(p.dim > long_dim ? tall_band : low_band, queries);
    if (!cut.blocked) {
      keys = p.keys;
      band = queries;
    }
    keys = std::min(round_up(keys, simd::panel_columns), round_up(p.keys, simd::panel_columns));
    scores_stride = keys + simd::lanes;
    value_stride = round_up(p.value_dim, simd::lanes);
    dim_words = arithmetic.words_of(p.dim);
    room = arithmetic.room(p.dim);
    const bool in_place = p.storage == simd::Storage::float32;
    widened = in_place ? 0 : keys * (p.dim + p.value_dim);
    const bool packs = arithmetic.packs_values(in_place ? p.value.row_stride : p.value_dim, p.value_dim);
    packed_values = packs ? arithmetic.words_of(keys) * value_stride : 0;
  }

  /// Of one thread's scratch memory.
  Index floats() const {
    return room + queries * (dim_words + value_stride + 3) + keys * dim_words + packed_values + widened +
           band * (scores_stride + value_stride + 1);
  }
};

/// One thread's scratch memory.
struct Scratch {
  tensor::Buffer room, query, key, value, wide, scores, sum, output, m, l, alpha;
  std::vector<char> seen;  ///< a row has met a key that is not masked

  explicit Scratch(const Blocks& blocks)
      : room(size(blocks.room)),
        query(size(blocks.queries * blocks.dim_words)),
        key(size(blocks.keys * blocks.dim_words)),
        value(size(blocks.packed_values)),
        wide(size(blocks.widened)),
        scores(size(blocks.band * blocks.scores_stride)),
        sum(size(blocks.band * blocks.value_stride)),
        output(size(blocks.queries * blocks.value_stride)),
        m(size(blocks.queries)),
        l(size(blocks.queries)),
        alpha(size(blocks.band)),
        seen(size(blocks.queries)) {}

  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
};

/// The bits of a word of packed values, of keys `first` and on, that belong to keys which a row sees.
std::uint32_t seen_bits(const BlockArithmetic& arithmetic, Index first, const auto& sees) {
  if (arithmetic.numbers_in_word() == 1) return sees(first) ? 0xffffffff : 0;
  return (sees(first) ? 0x0000ffff : 0) | (sees(first + 1) ? 0xffff0000 : 0);
}

/// BlockArithmetic::values for one row that must not touch the values it does not see: a weight of 0 does not silence NaN or
/// infinity. The same sums in the same order, over zeros in their place.
void row_values(const BlockArithmetic& arithmetic, Matrix weights, const auto& sees, Matrix packed, Index keys, float* sum,
                Index stride) {
  const Index words = arithmetic.words_of(keys);
  tensor::Buffer visible(static_cast<std::size_t>(words * stride));
  for (Index w = 0; w < words; ++w) {
    const std::uint32_t mask = seen_bits(arithmetic, w * arithmetic.numbers_in_word(), sees);
    for (Index c = 0; c < stride; ++c)
      visible[static_cast<std::size_t>(w * stride + c)] =
          std::bit_cast<float>(std::bit_cast<std::uint32_t>(packed.from_row(w).data[c]) & mask);
  }
  arithmetic.values(weights, 1, {visible.data(), stride}, keys, sum, stride);
}

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
    for (Index i = 0; i < rows_; ++i) {
      scale_query(p_, p_.query.row(b_, h_, first_ + i), s_.room.data());
      arithmetic_.pack_query(s_.room.data(), p_.dim, s_.query.data() + i * blocks_.dim_words);
    }
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
    const Matrix given_key = rows_of_block(p_.key, p_.key16, p_.dim, j, keys, s_.wide.data());
    const Matrix given_value = rows_of_block(p_.value, p_.value16, p_.value_dim, j, keys, s_.wide.data() + keys * p_.dim);
    const Matrix key = arithmetic_.pack_keys(given_key, keys, p_.dim, s_.room.data(), s_.key.data());
    const Matrix value = arithmetic_.pack_values(given_value, keys, p_.value_dim, s_.value.data());
    const bool careful = visible_.masks() && !arithmetic_.all_finite(value, keys, p_.value_dim);
    for (Index i = 0; i < rows_; i += blocks_.band)  // bands of queries
      attend_band(i, std::min(blocks_.band, rows_ - i), j, keys, key, value, careful);
  }

  /// Rows j … j + count of K or V: where they are, or in `wide`.
  Matrix rows_of_block(const Rows<const float>& rows, const Rows<const std::uint16_t>& rows16, Index width, Index j, Index count,
                       float* wide) const {
    if (p_.storage == simd::Storage::float32) return {rows.row(b_, key_head_, j), rows.row_stride};
    for (Index y = 0; y < count; ++y) simd::widen_row(p_.storage, rows16.row(b_, key_head_, j + y), width, wide + y * width);
    return {wide, width};
  }

  void attend_band(Index i, Index height, Index j, Index keys, Matrix key, Matrix value, bool careful) {
    // Only the keys that some row of the band sees: the others are skipped, not computed.
    const Index low = within(keys_of(i), j, keys).first / whole_sums * whole_sums;
    const Index high = within(keys_of(i + height - 1), j, keys).last;
    if (low >= high) return;
    const Index count = high - low;
    const Index padded = round_up(count, simd::lanes);
    const Matrix query{s_.query.data() + i * blocks_.dim_words, blocks_.dim_words};
    const Matrix seen_values = value.from_row(low / arithmetic_.numbers_in_word());

    arithmetic_.scores(query, height, key.from_row(low), count, p_.dim, s_.scores.data(), blocks_.scores_stride);
    const Matrix weights{s_.scores.data(), blocks_.scores_stride};
    for (Index y = 0; y < height; ++y) {
      float* scores = s_.scores.data() + y * blocks_.scores_stride;
      const auto r = static_cast<std::size_t>(i + y);
      if (visible_.bias_and_mask(scores, first_ + i + y, j + low, count, padded)) s_.seen[r] = true;
      s_.alpha[static_cast<std::size_t>(y)] = arithmetic_.softmax(scores, padded, s_.m[r], s_.l[r]);
    }
    if (careful) {
      for (Index y = 0; y < height; ++y) {
        const auto sees = [&](Index x) { return visible_.sees(first_ + i + y, j + low + x); };
        row_values(arithmetic_, weights.from_row(y), sees, seen_values, count, s_.sum.data() + y * blocks_.value_stride,
                   blocks_.value_stride);
      }
    } else {
      arithmetic_.values(weights, height, seen_values, count, s_.sum.data(), blocks_.value_stride);
    }
    for (Index y = 0; y < height; ++y) {
      // O_i = alpha_i · O_i + the block's part
      const float alpha = s_.alpha[static_cast<std::size_t>(y)];
      float* output = s_.output.data() + (i + y) * blocks_.value_stride;
      const float* sum = s_.sum.data() + y * blocks_.value_stride;
      for (Index c = 0; c < blocks_.value_stride; ++c) output[c] = alpha * output[c] + sum[c];
    }
  }

  void write() {
    for (Index i = 0; i < rows_; ++i) {
      const auto r = static_cast<std::size_t>(i);
      write_row(p_, b_, h_, first_ + i, s_.output.data() + i * blocks_.value_stride, s_.m[r], s_.l[r], s_.seen[r]);
    }
  }

  const FusedProblem& p_;
  const BlockArithmetic& arithmetic_;
  const Blocks& blocks_;
  Scratch& s_;
  Index b_, h_, key_head_, first_, rows_;
  VisibleKeys visible_;
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
