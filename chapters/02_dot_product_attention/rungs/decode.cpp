// Decoding: one query, or a few, against a long cache of keys and values.
//
// Every number of K and V is used once for each query, so the time is that of reading them. Nothing is packed, and no product
// is blocked for the registers. K and V are read in order, side by side, and asked for ahead: the scores of one block of keys are
// computed together with the output of the block before, a few keys at a time. The queries that share a key head (its group of
// heads, times the queries of each) share what is read: four of them are computed while it comes. K and V may be stored in 16 bits:
// half the bytes; they are widened as they are loaded and computed in float32.
//
// Keys are cut into chunks of 1024, whatever the number of heads and threads, so that one head keeps all threads busy. Each
// chunk has its own m, l and unnormalised output; they are merged in the order of the chunks (Dao et al. 2023, Flash-Decoding).
#include "rungs/decode.hpp"

#include <omp.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "rungs/packing.hpp"
#include "rungs/visible_keys.hpp"
#include "simd/reduce_rows.hpp"
#include "simd/storage.hpp"

namespace attention::dot_product {

namespace {

constexpr Index chunk_keys = 1024;

/// Keys whose scores are held at a time, and whose values are summed from zero. After each block memory waits for the softmax: there
/// should be few of them.
constexpr Index block_keys = 256;

/// A number is asked for so many numbers before it is needed: loads alone keep too few under way. Not so many bytes: those of 16 bits
/// take as long to compute.
constexpr Index numbers_ahead = 512;

/// Whether one query asks for keys as well as values. AMD's cores read one of two streams ahead well enough by themselves: asked for
/// both, bfloat16 took a tenth longer on Zen 4. On Intel's (Sapphire Rapids) asking for both was faster; so it is on both for several
/// queries, which compute for longer.
bool asks_for_keys() {
#if defined(__x86_64__)
  static const bool asks = !__builtin_cpu_is("amd");
  return asks;
#else
  return true;
#endif
}

/// Columns that are summed in registers at a time, in vectors.
constexpr int wide = 8;

/// What one chunk of keys gives to one query.
struct Partial {
  float m = -infinity;
  float l = 0;
  bool seen = false;
};

/// Rows of K or V in whatever type they are stored.
template <class Stored>
struct StoredRows {
  const Stored* data;
  Index stride;
  const Stored* row(Index j) const { return data + j * stride; }
  StoredRows from(Index j) const { return {row(j), stride}; }
};

/// Asks for what stands ahead of `count` numbers, line by line, for the second-level cache: it has more requests under way than the first,
/// whose few places each stay taken until memory answers.
template <int count, class Stored>
[[gnu::always_inline]] inline void ask_ahead(const Stored* at) {
  constexpr int second_level = 2;
  constexpr int line = 64 / sizeof(Stored);
  simd::unrolled<std::max(count / line, 1)>(
      [&](auto i) __attribute__((always_inline)) { __builtin_prefetch(at + numbers_ahead + i * line, 0, second_level); });
}

/// Queries that a key or a value serves at a time: it is loaded once for them, and none waits for the sum of its own lanes.
constexpr int side_by_side = 4;

/// Keys, or values, that are taken together while they come from memory: they wait for no sum of each other, and what is added up is
/// loaded and stored once for all of them.
constexpr int together = 4;
static_assert(simd::lanes % together == 0 && block_keys % simd::lanes == 0);

/// `Vectors` vectors of a row: pairs, where there is more than one. Two at a time a row is read in the order of its pairs, in which the
/// queries are kept, and in which the output is summed: whole pairs first, then a vector, then what fills none.
template <int Vectors, class Stored>
[[gnu::always_inline]] inline void load_columns(const Stored* from, simd::Float* to) {
  static_assert(Vectors == 1 || Vectors % 2 == 0);
  if constexpr (Vectors == 1)
    to[0] = simd::load(from);
  else
    simd::unrolled<Vectors / 2>([&](auto x) __attribute__((always_inline)) { simd::load_pair(from + 2 * x * simd::lanes, to + 2 * x); });
}

/// products[r][first + y] = q_r · k_y for `Rows` queries and `Keys` keys, a sum still in each lane; with `ask` those ahead are asked for.
template <int Rows, int Keys, class Stored>
[[gnu::always_inline]] inline void multiply_keys(const float* query, Index query_stride, StoredRows<Stored> key, Index dim,
                                                 simd::Float (*products)[simd::lanes], Index first, bool ask) {
  simd::Float sum[Rows][Keys] = {};
  simd::unrolled<Keys>([&](auto y) __attribute__((always_inline)) {  // key by key: memory is read in order
    const Stored* k = key.row(y);
    const auto multiply = [&](auto vectors, Index c) __attribute__((always_inline)) {
      constexpr int count = vectors;
      simd::Float part[count];
      load_columns<count>(k + c, part);
      simd::unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
        simd::unrolled<count>([&](auto x) __attribute__((always_inline)) {
          sum[r][y] += simd::load(query + r * query_stride + c + x * simd::lanes) * part[x];
        });
      });
      if (ask) ask_ahead<count * simd::lanes>(k + c);
    };
    Index c = 0;
    for (; c + 2 * simd::lanes <= dim; c += 2 * simd::lanes) multiply(std::integral_constant<int, 2>{}, c);
    if (c + simd::lanes <= dim) multiply(std::integral_constant<int, 1>{}, c);
  });
  simd::unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
    simd::unrolled<Keys>([&](auto y) __attribute__((always_inline)) { products[r][first + y] = sum[r][y]; });
  });
}

/// scores[r][y] = q_r · k_y for `Rows` queries and up to as many keys as there are lanes: the sum of a product's lanes, and of the
/// columns that fill no vector. Always in this order: a score has the same bits wherever its key came from.
template <int Rows, class Stored>
[[gnu::noinline]] void store_scores(const simd::Float (*products)[simd::lanes], const float* query, Index query_stride,
                                                StoredRows<Stored> key, Index count, Index dim, float* scores) {
  for (Index r = 0; r < Rows; ++r, query += query_stride, scores += block_keys) {
    simd::store(scores, simd::reduce_rows(products[r], [](simd::Float a, simd::Float b) { return a + b; }));
    for (Index c = dim / simd::lanes * simd::lanes; c < dim; ++c)
      for (Index y = 0; y < count; ++y) scores[y] += query[c] * simd::widen(key.row(y)[c]);
  }
}

/// scores[r][j] = q_r · k_j for `Rows` queries and keys 0 … count, from a cache.
template <int Rows, class Stored>
void dot_products(const float* query, Index query_stride, StoredRows<Stored> key, Index count, Index dim, float* scores) {
  for (Index j = 0; j < count; j += simd::lanes) {
    const Index keys = std::min<Index>(simd::lanes, count - j);
    simd::Float products[Rows][simd::lanes] = {};
    for (Index y = 0; y < keys; ++y) multiply_keys<Rows, 1>(query, query_stride, key.from(j + y), dim, products, y, false);
    store_scores<Rows>(products, query, query_stride, key.from(j), keys, dim, scores + j);
  }
}

/// The same for any number of queries.
template <class Stored>
void dot_products(Index rows, const float* query, Index query_stride, StoredRows<Stored> key, Index count, Index dim, float* scores) {
  for (Index r = 0; r < rows; r += side_by_side)
    simd::unrolled<side_by_side>([&](auto n) {
      if (std::min<Index>(rows - r, side_by_side) == n + 1)
        dot_products<n + 1>(query + r * query_stride, query_stride, key, count, dim, scores + r * block_keys);
    });
}

/// sum += weight · v in the columns from `first` on. Never inlined: beside other code a compiler may fuse some of the multiply-adds and
/// not others, and the bits would depend on who asks.
template <class Stored>
[[gnu::noinline]] void add_last_columns(float weight, const Stored* v, Index first, Index value_dim, float* sum) {
  for (Index c = first; c < value_dim; ++c) sum[c] += weight * simd::widen(v[c]);
}

/// sum[r] += Σ_y weights[r][y] · v_y for `Rows` queries and `Keys` values that are in no cache yet.
template <int Rows, int Keys, class Stored>
[[gnu::always_inline]] inline void add_values_ahead(const float* weights, StoredRows<Stored> value, Index value_dim, float* sum, Index sum_stride) {
  const auto columns = [&](auto count, Index c) __attribute__((always_inline)) {
    constexpr int vectors = count;
    simd::Float s[Rows][vectors];
    const auto each = [&](auto work) __attribute__((always_inline)) {
      simd::unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
        simd::unrolled<vectors>([&](auto x) __attribute__((always_inline)) { work(r, x, sum + r * sum_stride + c + x * simd::lanes); });
      });
    };
    each([&](auto r, auto x, const float* at) __attribute__((always_inline)) { s[r][x] = simd::load(at); });
    simd::unrolled<Keys>([&](auto y) __attribute__((always_inline)) {
      simd::Float part[vectors];
      load_columns<vectors>(value.row(y) + c, part);
      ask_ahead<vectors * simd::lanes>(value.row(y) + c);
      each([&](auto r, auto x, const float*) __attribute__((always_inline)) { s[r][x] += simd::broadcast(weights[r * block_keys + y]) * part[x]; });
    });
    each([&](auto r, auto x, float* at) __attribute__((always_inline)) { simd::store(at, s[r][x]); });
  };
  constexpr int several = Rows > 2 ? wide / 2 : wide;  // so that the sums stay in registers
  Index c = 0;
  for (; c + several * simd::lanes <= value_dim; c += several * simd::lanes) columns(std::integral_constant<int, several>{}, c);
  for (; c + 2 * simd::lanes <= value_dim; c += 2 * simd::lanes) columns(std::integral_constant<int, 2>{}, c);
  if (c + simd::lanes <= value_dim) {
    columns(std::integral_constant<int, 1>{}, c);
    c += simd::lanes;
  }
  if (c == value_dim) return;
  for (int r = 0; r < Rows; ++r)
    for (int y = 0; y < Keys; ++y) add_last_columns(weights[r * block_keys + y], value.row(y), c, value_dim, sum + r * sum_stride);
}

/// sum += Σ_j weights[j] · v_j in the columns of `Vectors` vectors, over keys 0 … count that sees(j) lets in, from a cache.
template <int Vectors, class Stored, class Sees>
[[gnu::always_inline]] inline void add_columns(const float* weights, StoredRows<Stored> value, Index count, Sees sees, float* sum) {
  simd::Float s[Vectors];
  simd::unrolled<Vectors>([&](auto x) { s[x] = simd::load(sum + x * simd::lanes); });
  for (Index j = 0; j < count; ++j) {
    if (!sees(j)) continue;  // a weight of 0 does not silence NaN or infinity
    simd::Float part[Vectors];
    load_columns<Vectors>(value.row(j), part);
    const simd::Float weight = simd::broadcast(weights[j]);
    simd::unrolled<Vectors>([&](auto x) { s[x] += weight * part[x]; });
  }
  simd::unrolled<Vectors>([&](auto x) { simd::store(sum + x * simd::lanes, s[x]); });
}

/// The same in all columns.
template <class Stored, class Sees>
void add_values(const float* weights, StoredRows<Stored> value, Index count, Index value_dim, Sees sees, float* sum) {
  Index c = 0;
  const auto columns = [&](auto vectors) {
    add_columns<vectors>(weights, StoredRows<Stored>{value.data + c, value.stride}, count, sees, sum + c);
    c += vectors * simd::lanes;
  };
  while (c + wide * simd::lanes <= value_dim) columns(std::integral_constant<int, wide>{});
  while (c + 2 * simd::lanes <= value_dim) columns(std::integral_constant<int, 2>{});
  if (c + simd::lanes <= value_dim) columns(std::integral_constant<int, 1>{});
  if (c == value_dim) return;
  for (Index j = 0; j < count; ++j)
    if (sees(j)) add_last_columns(weights[j], value.row(j), c, value_dim, sum);
}

/// Sizes of a problem of few queries.
struct Sizes {
  Index group;   ///< query heads that share a key head
  Index rows;    ///< queries that share a key head
  Index chunks;  ///< of the keys
  Index query_stride, value_stride;

  explicit Sizes(const FusedProblem& p)
      : group(p.heads / p.key_heads), rows(group * p.queries), chunks(std::max<Index>(1, (p.keys + chunk_keys - 1) / chunk_keys)),
        query_stride(round_up(p.dim, simd::lanes)), value_stride(round_up(p.value_dim, simd::lanes)) {}

  /// Rows of all problems and heads, each with all its chunks.
  Index partials(const FusedProblem& p) const { return p.batch * p.key_heads * rows * chunks; }
  /// Floats of one thread.
  Index scratch(const FusedProblem& p) const {
    const Index widened = p.storage == simd::Storage::float32 || rows <= side_by_side ? 0 : block_keys * (p.dim + p.value_dim);
    return rows * (query_stride + 2 * block_keys + 1) + side_by_side * value_stride + widened;
  }
};

/// The queries that share one key head of one problem, against one chunk of keys.
template <class Stored>
class Chunk {
 public:
  Chunk(const FusedProblem& p, const Sizes& sizes, Index b, Index key_head, float* scratch)
      : p_(p), n_(sizes), b_(b), key_head_(key_head), query_(scratch), scores_(query_ + n_.rows * n_.query_stride),
        alpha_(scores_ + 2 * n_.rows * block_keys), sum_(alpha_ + n_.rows), widened_(sum_ + side_by_side * n_.value_stride) {
    for (Index g = 0; g < n_.group; ++g) visible_.emplace_back(p, b, head(g * p.queries));
    for (Index r = 0; r < n_.rows; ++r) {
      float* scaled = query_ + r * n_.query_stride;
      scale_query(p, p.query.row(b, head(r), query(r)), scaled);
      simd::to_pair_order<Stored>(scaled, p.dim);
    }
  }

  /// Partials and outputs of the rows lie n_.chunks apart.
  void attend(Index first, StoredRows<Stored> key, StoredRows<Stored> value, Partial* partial, float* output) {
    for (Index r = 0; r < n_.rows; ++r) {
      partial[r * n_.chunks] = {};
      std::fill_n(output + r * n_.chunks * n_.value_stride, n_.value_stride, 0.F);
    }
    // The keys that some row sees.
    KeyRange seen{p_.keys, 0};
    for (Index r = 0; r < n_.rows; ++r) {
      const KeyRange of = visible(r).of(query(r));
      if (of.empty()) continue;
      seen = {std::min(seen.first, of.first), std::max(seen.last, of.last)};
    }
    const Index last = std::min({first + chunk_keys, visible_.front().keys(), seen.last});
    Block before;
    for (Index j = std::max(first, seen.first / block_keys * block_keys); j < last; j += block_keys) {
      const Block now{j, std::min(block_keys, last - j), before.scores == 0 ? n_.rows * block_keys : 0};
      step(now, before, key, value, partial, output);
      before = now;
    }
    step({}, before, key, value, partial, output);
  }

 private:
  Index head(Index r) const { return key_head_ * n_.group + r / p_.queries; }
  Index query(Index r) const { return r % p_.queries; }
  const VisibleKeys& visible(Index r) const { return visible_[static_cast<std::size_t>(r / p_.queries)]; }

  /// Keys first … first + count, whose scores, later weights, stand at this place of scores_.
  struct Block {
    Index first = 0;
    Index count = 0;
    Index scores = 0;
  };

  /// The scores of the block `now`, and the values of the block `before`, whose weights are known: both are read side by side.
  void step(Block now, Block before, StoredRows<Stored> key, StoredRows<Stored> value, Partial* partial, float* output) {
    const StoredRows<Stored> k{key.row(now.first), key.stride};
    const StoredRows<Stored> v{value.row(before.first), value.stride};
    // Many queries: widened once for all of them.
    if constexpr (!std::is_same_v<Stored, float>)
      if (n_.rows > side_by_side)
        return step<false>(now, before, widen(k, now.count, p_.dim, widened_),
                           widen(v, before.count, p_.value_dim, widened_ + block_keys * p_.dim), partial, output);
    step<true>(now, before, k, v, partial, output);
  }

  static StoredRows<float> widen(StoredRows<Stored> from, Index count, Index width, float* to) {
    for (Index j = 0; j < count; ++j) simd::widen_pairs(from.row(j), width, to + j * width);
    return {to, width};
  }

  /// `from_memory`: the first rows bring K and V from there for all.
  template <bool from_memory, class Read>
  void step(Block now, Block before, StoredRows<Read> key, StoredRows<Read> value, Partial* partial, float* output) {
    const Index first = from_memory ? read_ahead(now, before, key, value) : 0;
    dot_products(n_.rows - first, query_ + first * n_.query_stride, n_.query_stride, key, now.count, p_.dim,
                 scores_ + now.scores + first * block_keys);
    for (Index r = 0; r < n_.rows; ++r) {
      const Index i = query(r);
      float* sum = sum_ + (r < first ? r * n_.value_stride : 0);
      if (r >= first) {
        std::fill_n(sum, n_.value_stride, 0.F);
        with_sight(r, before, [&](auto sees) {
          add_values(scores_ + before.scores + r * block_keys, value, before.count, p_.value_dim, sees, sum);
        });
      }
      if (before.count > 0) {
        // O = alpha · O + the block's part
        float* to = output + r * n_.chunks * n_.value_stride;
        for (Index c = 0; c < n_.value_stride; ++c) to[c] = alpha_[r] * to[c] + sum[c];
      }
      if (now.count > 0) {
        float* scores = scores_ + now.scores + r * block_keys;
        Partial& part = partial[r * n_.chunks];
        const Index padded = round_up(now.count, simd::lanes);
        if (visible(r).bias_and_mask(scores, i, now.first, now.count, padded)) part.seen = true;
        alpha_[r] = online_softmax(scores, padded, part.m, part.l);
      }
    }
  }

  bool see_all(Index rows, Block block) const {
    for (Index r = 0; r < rows; ++r)
      if (!visible(r).sees_all(query(r), block.first, block.count)) return false;
    return true;
  }

  /// work(sees), where sees(j) tells whether row r sees key j of the block.
  template <class Work>
  void with_sight(Index r, Block block, Work work) const {
    if (visible(r).sees_all(query(r), block.first, block.count))
      work([](Index) { return true; });
    else
      work([&](Index j) { return visible(r).sees(query(r), block.first + j); });
  }

  /// The scores of the first rows, and the sums of their values, while K and V come from memory. How many rows that are: so many as
  /// are computed side by side, if they see the same keys.
  template <class Read>
  Index read_ahead(Block now, Block before, StoredRows<Read> key, StoredRows<Read> value) {
    const Index rows = std::min<Index>(n_.rows, side_by_side);
    if (rows == 1 || !see_all(rows, before)) {
      with_sight(0, before, [&](auto sees) { read_ahead<1>(now, before, key, value, sees); });
      return 1;
    }
    simd::unrolled<side_by_side>([&](auto n) {
      if (rows == n + 1) read_ahead<n + 1>(now, before, key, value, [](Index) { return true; });
    });
    return rows;
  }

  /// Two streams, K and V: more of the memory's bandwidth than one after the other.
  template <int Rows, class Read, class Sees>
  void read_ahead(Block now, Block before, StoredRows<Read> key, StoredRows<Read> value, Sees sees) {
    std::fill_n(sum_, Rows * n_.value_stride, 0.F);
    const bool ask = Rows > 1 || asks_for_keys();
    for (Index j = 0; j < std::max(now.count, before.count); j += simd::lanes) {
      simd::Float products[Rows][simd::lanes] = {};
      for (Index y = j; y < j + simd::lanes; y += together) {
        const auto multiply = [&](auto keys, Index x) __attribute__((always_inline)) {
          multiply_keys<Rows, keys>(query_, n_.query_stride, key.from(x), p_.dim, products, x - j, ask);
        };
        in_groups(y, [&](Index x) { return x < now.count; }, multiply);
        const auto add = [&](auto keys, Index x) __attribute__((always_inline)) {
          add_values_ahead<Rows, keys>(scores_ + before.scores + x, value.from(x), p_.value_dim, sum_, n_.value_stride);
        };
        in_groups(y, [&](Index x) { return x < before.count && sees(x); }, add);
      }
      if (j < now.count)
        store_scores<Rows>(products, query_, n_.query_stride, key.from(j), std::min<Index>(simd::lanes, now.count - j), p_.dim,
                           scores_ + now.scores + j);
    }
  }

  /// work(keys, x) for the keys y … y + together that are asked for: all at once, or one by one.
  template <class Asked, class Work>
  [[gnu::always_inline]] static void in_groups(Index y, Asked asked, Work work) {
    bool all = true;
    for (Index x = y; x < y + together; ++x) all = all && asked(x);
    if (all) return work(std::integral_constant<int, together>{}, y);
    for (Index x = y; x < y + together; ++x)
      if (asked(x)) work(std::integral_constant<int, 1>{}, x);
  }

  const FusedProblem& p_;
  const Sizes& n_;
  Index b_, key_head_;
  float *query_, *scores_, *alpha_, *sum_, *widened_;
  std::vector<VisibleKeys> visible_;  ///< of each head of the group
};

/// One row from its chunks: O = Σ_c 2^(m_c − m) O_c, and l likewise.
template <class Stored>
void merge(const FusedProblem& p, const Sizes& n, Index b, Index h, Index i, const Partial* partial, float* output) {
  float m = -infinity;
  bool seen = false;
  for (Index c = 0; c < n.chunks; ++c) {
    m = std::max(m, partial[c].m);
    seen = seen || partial[c].seen;
  }
  const float subtract = m == -infinity ? 0 : m;
  float l = 0;
  for (Index c = 0; c < n.chunks; ++c) {
    const float factor = simd::exp2(simd::broadcast(partial[c].m - subtract))[0];
    l += factor * partial[c].l;
    const float* from = output + c * n.value_stride;
    for (Index x = 0; x < p.value_dim; ++x) output[x] = c == 0 ? factor * from[x] : output[x] + factor * from[x];
  }
  simd::from_pair_order<Stored>(output, p.value_dim);
  write_row(p, b, h, i, output, m, l, seen);
}

template <class Stored>
void decode(const FusedProblem& p, const Rows<const Stored>& key, const Rows<const Stored>& value) {
  const Sizes n(p);
  std::vector<Partial> partials(static_cast<std::size_t>(n.partials(p)));
  tensor::UnsetBuffer outputs(static_cast<std::size_t>(n.partials(p) * n.value_stride));
#pragma omp parallel
  {
    tensor::Buffer scratch(static_cast<std::size_t>(n.scratch(p)));
#pragma omp for collapse(3) schedule(dynamic)
    for (Index b = 0; b < p.batch; ++b)
      for (Index g = 0; g < p.key_heads; ++g)
        for (Index chunk = 0; chunk < n.chunks; ++chunk) {
          const Index at = (b * p.key_heads + g) * n.rows * n.chunks + chunk;
          Chunk<Stored>(p, n, b, g, scratch.data())
              .attend(chunk * chunk_keys, {key.row(b, g, 0), key.row_stride}, {value.row(b, g, 0), value.row_stride},
                      partials.data() + at, outputs.data() + at * n.value_stride);
        }
#pragma omp for collapse(3) schedule(static)
    for (Index b = 0; b < p.batch; ++b)
      for (Index h = 0; h < p.heads; ++h)
        for (Index i = 0; i < p.queries; ++i) {
          // Key head by key head, the rows are those of its heads one after the other.
          const Index at = ((b * p.heads + h) * p.queries + i) * n.chunks;
          merge<Stored>(p, n, b, h, i, partials.data() + at, outputs.data() + at * n.value_stride);
        }
  }
}

template <class Stored>
Rows<const Stored> as(const Rows<const std::uint16_t>& rows) {
  static_assert(sizeof(Stored) == sizeof(std::uint16_t));
  return {reinterpret_cast<const Stored*>(rows.data), rows.batch_stride, rows.head_stride, rows.row_stride};
}

}  // namespace

void decode_attention(const FusedProblem& p) {
  switch (p.storage) {
    case simd::Storage::float32:
      return decode<float>(p, p.key, p.value);
    case simd::Storage::bfloat16:
      return decode<simd::Bfloat16>(p, as<simd::Bfloat16>(p.key16), as<simd::Bfloat16>(p.value16));
    case simd::Storage::float16:
      return decode<simd::Float16>(p, as<simd::Float16>(p.key16), as<simd::Float16>(p.value16));
  }
}

std::size_t decode_workspace(const FusedProblem& p) {
  const Sizes n(p);
  return static_cast<std::size_t>(n.partials(p)) * (sizeof(Partial) + static_cast<std::size_t>(n.value_stride) * sizeof(float)) +
         static_cast<std::size_t>(omp_get_max_threads() * n.scratch(p)) * sizeof(float);
}

}  // namespace attention::dot_product
