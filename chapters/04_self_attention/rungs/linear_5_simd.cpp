// Linear rung 5, simd: the chunk's products go through the micro-kernel.
//
// What changed: four small products a chunk, each with its block of the result in registers: φ(Q) φ(K)ᵀ, its lower triangle times
// V, φ(Q) S, and φ(K)ᵀ V into the state. φ(K) is stored transposed, which serves twice: its rows are what a strip of queries
// is multiplied with, and they are the strips of φ(K)ᵀ. Of the triangle a strip of 6 queries computes the vectors of keys that
// one of them sees. The exponential is a vector's.
#include "rungs/linear_chunks.hpp"
#include "rungs/linear_feature_map.hpp"
#include "simd/exp2.hpp"
#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"

namespace attention::self_attention {

namespace {

using simd::Float;
using simd::Into;
using simd::lanes;
using simd::panel_columns;
using simd::tile_rows;

Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// Vectors of a panel that hold the next `columns` columns.
int vectors_of(Index columns) { return static_cast<int>(std::min<Index>(simd::tile_vectors, (columns + lanes - 1) / lanes)); }

[[gnu::always_inline]] inline Float elu_plus_one(Float x) {
  const Float zero = {};
  return x > zero ? x + simd::broadcast(1) : simd::exp(x > zero ? zero : x);
}

/// to[c] = map(from[c]) for whole vectors, the last one filled with zeros: `to` has room for it.
template <class Map>
[[gnu::always_inline]] inline void map_row(const float* from, Index count, float* to, Map map) {
  Index c = 0;
  for (; c + lanes <= count; c += lanes) simd::store(to + c, map(simd::load(from + c)));
  if (c == count) return;
  float rest[lanes] = {};
  std::copy(from + c, from + count, rest);
  simd::store(rest, map(simd::load(rest)));
  std::fill(rest + (count - c), rest + lanes, 0.F);
  simd::store(to + c, simd::load(rest));
}

/// Whether some entry of a row is above 0.
bool any_positive(const float* row, Index count) {
  Float largest = {};
  Index c = 0;
  for (; c + lanes <= count; c += lanes) largest = simd::max(simd::load(row + c), largest);
#if defined(__AVX512F__)
  bool found = _mm512_cmp_ps_mask(largest, Float{}, _CMP_GT_OQ) != 0;
#elif defined(__AVX__)
  bool found = _mm256_movemask_ps(_mm256_cmp_ps(largest, Float{}, _CMP_GT_OQ)) != 0;
#else
  bool found = simd::maximum(largest) > 0;
#endif
  for (; c < count; ++c) found = found || row[c] > 0;
  return found;
}

/// As key_features and query_features of the other rungs.
void vector_key_features(const LinearPass& p, const float* key, float* to) {
  if (p.map == FeatureMap::identity) return map_row(key, p.dim, to, [](Float x) { return x; });
  map_row(key, p.dim, to, [](Float x) { return elu_plus_one(x); });
}

void vector_query_features(const LinearPass& p, const float* query, float* to) {
  if (p.map == FeatureMap::identity) return map_row(query, p.dim, to, [&](Float x) { return x * simd::broadcast(p.scale); });
  if (!p.normalizer || any_positive(query, p.dim)) return map_row(query, p.dim, to, [](Float x) { return elu_plus_one(x); });
  const float largest = *std::max_element(query, query + p.dim);
  map_row(query, p.dim, to, [largest](Float x) { return simd::exp(x - simd::broadcast(largest)); });
}

/// Whether rows of whole vectors hold neither NaN nor infinity, which 0 does not make 0.
bool all_finite(const float* rows, Index stride, Index count, Index width) {
  Float sum[4] = {};
  Index turn = 0;
  for (Index j = 0; j < count; ++j)
    for (Index x = 0; x < width; x += lanes) sum[turn++ % 4] += simd::load(rows + j * stride + x) * Float{};
  return simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3])) == 0;
}

/// Sum of a row of whole vectors.
float sum_of(const float* row, Index count) {
  Float sum = {};
  for (Index c = 0; c < count; c += lanes) sum += simd::load(row + c);
  return simd::sum(sum);
}

/// The numbers of the lanes.
template <int... I>
constexpr simd::Int count_lanes(std::integer_sequence<int, I...>) {
  return simd::Int{I...};
}
constexpr simd::Int lane_numbers = count_lanes(std::make_integer_sequence<int, lanes>{});

/// Sets the weights behind place `last` to 0, and gives Σ weights + z · φ(q); the rows are whole vectors.
float mask_and_sum(float* weights, Index last, Index count, const float* features, const float* z, Index dim) {
  Float sum = {};
  for (Index c = 0; c < dim; c += lanes) sum += simd::load(features + c) * simd::load(z + c);
  Index j = 0;
  for (; j + lanes <= last + 1; j += lanes) sum += simd::load(weights + j);
  for (; j < count; j += lanes) {
    const simd::Int place = lane_numbers + static_cast<int>(j);
    const Float kept = place > static_cast<int>(last) ? Float{} : simd::load(weights + j);
    simd::store(weights + j, kept);
    sum += kept;
  }
  return simd::sum(sum);
}

class Worker {
 public:
  explicit Worker(const LinearPass& p)
      : p_(p), width_(carried(p).stride), row_(round_up(p.dim, lanes)), rows_(size(linear_chunk * row_)), key_(size(p.dim * linear_chunk)),
        query_(size(tile_rows * row_)), value_(size(pads() ? linear_chunk * width_ : 0)), weights_(size(tile_rows * linear_chunk)) {}

  static CarriedState carried(const LinearPass& p) { return {p.dim, round_up(p.dim, lanes), round_up(p.value_dim, lanes)}; }
  static Index floats(const LinearPass& p) {
    const Index row = round_up(p.dim, lanes);
    return (linear_chunk + tile_rows) * row + linear_chunk * (p.dim + tile_rows + carried(p).stride);
  }

  void load(Chunk chunk) {
    const Index padded = round_up(chunk.count, lanes);
    for (Index j = 0; j < chunk.count; ++j)
      vector_key_features(p_, p_.key.row(chunk.b, chunk.g, chunk.first + j), rows_.data() + j * row_);
    simd::transpose(rows_.data(), row_, chunk.count, p_.dim, key_.data(), linear_chunk);
    for (Index c = 0; c < p_.dim; ++c) std::fill(key_.data() + c * linear_chunk + chunk.count, key_.data() + c * linear_chunk + padded, 0.F);
    v_ = p_.value.row(chunk.b, chunk.g, chunk.first);
    v_stride_ = p_.value.row_stride;
    if (pads()) {  // the kernel reads whole vectors: rows of V that are not are copied
      for (Index j = 0; j < chunk.count; ++j) std::copy_n(v_ + j * v_stride_, p_.value_dim, value_.data() + j * width_);
      v_ = value_.data();
      v_stride_ = width_;
    }
    finite_ = all_finite(v_, v_stride_, chunk.count, width_);
  }

  void attend(Chunk chunk, const float* state) {
    for (Index h = chunk.g * p_.group(); h < (chunk.g + 1) * p_.group(); ++h)
      for (Index i = 0; i < chunk.count; i += tile_rows) attend_strip(chunk, h, i, std::min<Index>(tile_rows, chunk.count - i), state);
  }

  void add(Chunk chunk, float* state) {
    const Index padded = round_up(chunk.count, lanes);
    for (Index c = 0; c < p_.dim; c += tile_rows) {  // S += φ(K)ᵀ V, strips of rows
      const Index height = std::min<Index>(tile_rows, p_.dim - c);
      for (Index x = 0; x < width_; x += panel_columns)
        simd::multiply_strip<Into::add>(height, chunk.count, linear_chunk, key_.data() + c * linear_chunk, linear_chunk, v_ + x, v_stride_,
                                        state + c * width_ + x, width_, vectors_of(width_ - x));
    }
    float* z = carried(p_).normalizer(state);
    for (Index c = 0; c < p_.dim; ++c) z[c] += sum_of(key_.data() + c * linear_chunk, padded);
  }

 private:
  bool pads() const { return width_ != p_.value_dim; }

  /// The outputs of tokens i … i + height − 1 of the chunk.
  void attend_strip(Chunk chunk, Index h, Index i, Index height, const float* state) {
    const Index keys = i + height;  // those that the last of them sees
    for (Index y = 0; y < height; ++y)
      vector_query_features(p_, p_.query.row(chunk.b, h, chunk.first + i + y), query_.data() + y * row_);
    for (Index j = 0; j < keys; j += panel_columns)  // φ(Q) φ(K)ᵀ
      simd::multiply_strip<Into::replace>(height, p_.dim, p_.dim, query_.data(), row_, key_.data() + j, linear_chunk, weights_.data() + j,
                                          linear_chunk, vectors_of(keys - j));
    float inverse[tile_rows];
    const float* z = carried(p_).normalizer(state);
    for (Index y = 0; y < height; ++y) {
      const float total = mask_and_sum(weights_.data() + y * linear_chunk, i + y, round_up(keys, lanes), query_.data() + y * row_, z, row_);
      inverse[y] = p_.normalizer ? inverse_of(total) : 1;
    }
    for (Index x = 0; x < width_; x += panel_columns) {
      alignas(64) float tile[tile_rows * panel_columns];
      const int vectors = vectors_of(width_ - x);
      if (finite_) {
        simd::multiply_strip<Into::replace>(height, keys, keys, weights_.data(), linear_chunk, v_ + x, v_stride_, tile, panel_columns, vectors);
      } else {
        // 0 · NaN is NaN: each row stops where it must not look further. The same sums in the same order.
        for (Index y = 0; y < height; ++y)
          simd::multiply_strip<Into::replace>(1, i + y + 1, keys, weights_.data() + y * linear_chunk, linear_chunk, v_ + x, v_stride_,
                                              tile + y * panel_columns, panel_columns, vectors);
      }
      simd::multiply_strip<Into::add>(height, p_.dim, p_.dim, query_.data(), row_, state + x, width_, tile, panel_columns, vectors);
      for (Index y = 0; y < height; ++y) {
        float* out = p_.output.row(chunk.b, h, chunk.first + i + y) + x;
        const float* from = tile + y * panel_columns;
        for (Index c = 0; c < std::min<Index>(panel_columns, p_.value_dim - x); ++c) out[c] = from[c] * inverse[y];
      }
    }
  }

  const LinearPass& p_;
  Index width_;             ///< of a row of S: whole vectors
  Index row_;               ///< of a row of features: whole vectors
  tensor::Buffer rows_;     ///< φ(K): [chunk, row]
  tensor::Buffer key_;      ///< φ(K)ᵀ: [dim, chunk]
  tensor::Buffer query_;    ///< φ(Q) of a strip: [tile_rows, row]
  tensor::Buffer value_;    ///< V where its rows are no whole vectors: [chunk, width]
  tensor::Buffer weights_;  ///< of a strip: [tile_rows, chunk]
  const float* v_ = nullptr;
  Index v_stride_ = 0;
  bool finite_ = true;
};

}  // namespace

void linear_pass(const LinearPass& p) { run_chunks<Worker>(p, Worker::carried(p)); }

std::size_t linear_pass_workspace(const LinearPass& p) {
  return carried_workspace(p, Worker::carried(p)) + size(omp_get_max_threads() * Worker::floats(p)) * sizeof(float);
}

void linear_simd(const LinearProblem& p, LinearOutput& out) { linear_pass(pass_of(p, out)); }

std::size_t linear_simd_workspace(const LinearProblem& p) { return linear_pass_workspace(sizes_of(p)); }

}  // namespace attention::self_attention
