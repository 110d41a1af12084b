// Decoding: one query, or a few, against a long cache of keys and values.
//
// Every number of K and V is used once for each query, so the time is that of reading them. Nothing is packed, and no product
// is blocked for the registers: four keys at a time keep enough loads under way. The queries that share a key head (its group
// of heads, times the queries of each) share what is read. K and V may be stored in 16 bits: half the bytes, half the time;
// they are widened as they are loaded and computed in float32.
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
#include "simd/storage.hpp"

namespace attention::dot_product {

namespace {

constexpr Index chunk_keys = 1024;

/// Keys whose scores are held at a time, and whose values are summed from zero.
constexpr Index block_keys = values_block;

/// Keys that are read side by side.
constexpr Index together = 4;

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
};

/// scores[j] = q · k_j for keys 0 … count.
template <class Stored>
void dot_products(const float* query, StoredRows<Stored> key, Index count, Index dim, float* scores) {
  const Index whole = dim / simd::lanes * simd::lanes;
  for (Index j = 0; j < count; j += together) {
    // Beyond the last key its own row is read again.
    const Stored* k[together];
    simd::unrolled<together>([&](auto x) { k[x] = key.row(std::min(j + x, count - 1)); });
    simd::Float sum[together] = {};
    for (Index c = 0; c < whole; c += simd::lanes) {
      const simd::Float q = simd::load(query + c);
      simd::unrolled<together>([&](auto x) { sum[x] += q * simd::load(k[x] + c); });
    }
    simd::unrolled<together>([&](auto x) {
      if (j + x >= count) return;
      float score = simd::sum(sum[x]);
      for (Index c = whole; c < dim; ++c) score += query[c] * simd::widen(k[x][c]);
      scores[j + x] = score;
    });
  }
}

/// sum += Σ_j weights[j] · v_j over keys 0 … count that sees(j) lets in: a weight of 0 does not silence NaN or infinity.
template <class Stored, class Sees>
void add_values(const float* weights, StoredRows<Stored> value, Index count, Index value_dim, Sees sees, float* sum) {
  const Index whole = value_dim / simd::lanes * simd::lanes;
  const auto add = [&](Index first, auto keys) {
    const Stored* v = value.row(first);
    simd::Float weight[keys];
    simd::unrolled<keys>([&](auto x) { weight[x] = simd::broadcast(weights[first + x]); });
    for (Index c = 0; c < whole; c += simd::lanes) {
      simd::Float s = simd::load(sum + c);
      simd::unrolled<keys>([&](auto x) { s += weight[x] * simd::load(v + x * value.stride + c); });
      simd::store(sum + c, s);
    }
    for (Index c = whole; c < value_dim; ++c)
      simd::unrolled<keys>([&](auto x) { sum[c] += weights[first + x] * simd::widen(v[x * value.stride + c]); });
  };
  for (Index j = 0; j < count; j += together) {
    const Index last = std::min(j + together, count);
    bool all = last - j == together;
    for (Index x = j; x < last; ++x) all = all && sees(x);
    if (all)
      add(j, std::integral_constant<int, together>{});
    else
      for (Index x = j; x < last; ++x)
        if (sees(x)) add(x, std::integral_constant<int, 1>{});
  }
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
    const Index widened = p.storage == simd::Storage::float32 || rows == 1 ? 0 : block_keys * (p.dim + p.value_dim);
    return rows * (query_stride + block_keys) + value_stride + widened;
  }
};

/// The queries that share one key head of one problem, against one chunk of keys.
template <class Stored>
class Chunk {
 public:
  Chunk(const FusedProblem& p, const Sizes& sizes, Index b, Index key_head, float* scratch)
      : p_(p), n_(sizes), b_(b), key_head_(key_head), query_(scratch), scores_(query_ + n_.rows * n_.query_stride),
        sum_(scores_ + n_.rows * block_keys), widened_(sum_ + n_.value_stride) {
    for (Index g = 0; g < n_.group; ++g) visible_.emplace_back(p, b, head(g * p.queries));
    for (Index r = 0; r < n_.rows; ++r) scale_query(p, p.query.row(b, head(r), query(r)), query_ + r * n_.query_stride);
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
    for (Index j = std::max(first, seen.first / block_keys * block_keys); j < last; j += block_keys) {
      const Index count = std::min(block_keys, last - j);
      block(j, count, {key.row(j), key.stride}, {value.row(j), value.stride}, partial, output);
    }
  }

 private:
  Index head(Index r) const { return key_head_ * n_.group + r / p_.queries; }
  Index query(Index r) const { return r % p_.queries; }
  const VisibleKeys& visible(Index r) const { return visible_[static_cast<std::size_t>(r / p_.queries)]; }

  void block(Index j, Index count, StoredRows<Stored> key, StoredRows<Stored> value, Partial* partial, float* output) {
    // Several queries: widened once for all of them.
    if constexpr (!std::is_same_v<Stored, float>)
      if (n_.rows > 1) {
        float* wide_value = widened_ + block_keys * p_.dim;
        const StoredRows<float> k = widen(key, count, p_.dim, widened_);
        const StoredRows<float> v = widen(value, count, p_.value_dim, wide_value);
        return rows_of_block(j, count, k, v, partial, output);
      }
    rows_of_block(j, count, key, value, partial, output);
  }

  static StoredRows<float> widen(StoredRows<Stored> from, Index count, Index width, float* to) {
    const Index whole = width / simd::lanes * simd::lanes;
    for (Index j = 0; j < count; ++j) {
      for (Index c = 0; c < whole; c += simd::lanes) simd::store(to + j * width + c, simd::load(from.row(j) + c));
      for (Index c = whole; c < width; ++c) to[j * width + c] = simd::widen(from.row(j)[c]);
    }
    return {to, width};
  }

  template <class Read>
  void rows_of_block(Index j, Index count, StoredRows<Read> key, StoredRows<Read> value, Partial* partial, float* output) {
    const Index padded = round_up(count, simd::lanes);
    for (Index r = 0; r < n_.rows; ++r) dot_products(query_ + r * n_.query_stride, key, count, p_.dim, scores_ + r * block_keys);
    for (Index r = 0; r < n_.rows; ++r) {
      Partial& part = partial[r * n_.chunks];
      float* scores = scores_ + r * block_keys;
      const Index i = query(r);
      if (visible(r).bias_and_mask(scores, i, j, count, padded)) part.seen = true;
      const float alpha = online_softmax(scores, padded, part.m, part.l);
      std::fill_n(sum_, n_.value_stride, 0.F);
      if (visible(r).sees_all(i, j, count))
        add_values(scores, value, count, p_.value_dim, [](Index) { return true; }, sum_);
      else
        add_values(scores, value, count, p_.value_dim, [&](Index x) { return visible(r).sees(i, j + x); }, sum_);
      // O = alpha · O + the block's part
      float* to = output + r * n_.chunks * n_.value_stride;
      for (Index c = 0; c < n_.value_stride; ++c) to[c] = alpha * to[c] + sum_[c];
    }
  }

  const FusedProblem& p_;
  const Sizes& n_;
  Index b_, key_head_;
  float *query_, *scores_, *sum_, *widened_;
  std::vector<VisibleKeys> visible_;  ///< of each head of the group
};

/// One row from its chunks: O = Σ_c 2^(m_c − m) O_c, and l likewise.
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
          merge(p, n, b, h, i, partials.data() + at, outputs.data() + at * n.value_stride);
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
