// Linear rung 4, chunked: 64 tokens at a time.
//
// What changed: the two forms of the formula are mixed. Within a chunk every query meets every key before it, pair by pair (the n × n
// form, on a square that stays in the cache). What lies behind the chunk comes through the state, which is now read and written
// once in 64 tokens. And there is something to share: the sums of all chunks do not wait for each other. So with few heads
// each chunk's own sum is made first, then the running sums of these, then all chunks ask at once.
#include "rungs/linear_chunks.hpp"
#include "rungs/linear_feature_map.hpp"

namespace attention::self_attention {

namespace {

/// Plain loops over one chunk.
class Worker {
 public:
  explicit Worker(const LinearPass& p)
      : p_(p), key_(size(p.dim * linear_chunk)), features_(size(p.dim)), weights_(size(linear_chunk)), sum_(size(p.value_dim)) {}

  static Index floats(const LinearPass& p) { return (linear_chunk + 1) * p.dim + linear_chunk + p.value_dim; }
  static CarriedState carried(const LinearPass& p) { return {p.dim, p.dim, p.value_dim}; }

  void load(Chunk chunk) {
    for (Index j = 0; j < chunk.count; ++j) {
      key_features(p_, p_.key.row(chunk.b, chunk.g, chunk.first + j), features_.data());
      for (Index c = 0; c < p_.dim; ++c) key_[size(c * linear_chunk + j)] = features_[size(c)];
    }
  }

  void attend(Chunk chunk, const float* state) {
    for (Index h = chunk.g * p_.group(); h < (chunk.g + 1) * p_.group(); ++h)
      for (Index i = 0; i < chunk.count; ++i) attend(chunk, h, i, state);
  }

  void add(Chunk chunk, float* state) {
    for (Index c = 0; c < p_.dim; ++c) {
      std::fill(sum_.begin(), sum_.end(), 0.F);
      float total = 0;
      for (Index j = 0; j < chunk.count; ++j) {
        const float phi = key_[size(c * linear_chunk + j)];
        const float* v = p_.value.row(chunk.b, chunk.g, chunk.first + j);
        total += phi;
        for (Index x = 0; x < p_.value_dim; ++x) sum_[size(x)] += phi * v[x];
      }
      carried(p_).normalizer(state)[c] += total;
      for (Index x = 0; x < p_.value_dim; ++x) state[c * p_.value_dim + x] += sum_[size(x)];
    }
  }

 private:

  /// The output of token i of the chunk.
  void attend(Chunk chunk, Index h, Index i, const float* state) {
    query_features(p_, p_.query.row(chunk.b, h, chunk.first + i), features_.data());
    const float* z = carried(p_).normalizer(state);
    float* out = p_.output.row(chunk.b, h, chunk.first + i);
    std::fill_n(out, p_.value_dim, 0.F);
    std::fill_n(weights_.data(), i + 1, 0.F);
    for (Index c = 0; c < p_.dim; ++c)  // the chunk's own pairs
      for (Index j = 0; j <= i; ++j) weights_[size(j)] += features_[size(c)] * key_[size(c * linear_chunk + j)];
    float total = 0;
    for (Index j = 0; j <= i; ++j) {
      const float* v = p_.value.row(chunk.b, chunk.g, chunk.first + j);
      total += weights_[size(j)];
      for (Index x = 0; x < p_.value_dim; ++x) out[x] += weights_[size(j)] * v[x];
    }
    for (Index c = 0; c < p_.dim; ++c) {  // what lies behind it
      total += features_[size(c)] * z[c];
      for (Index x = 0; x < p_.value_dim; ++x) out[x] += features_[size(c)] * state[c * p_.value_dim + x];
    }
    if (!p_.normalizer) return;
    const float inverse = inverse_of(total);
    for (Index x = 0; x < p_.value_dim; ++x) out[x] *= inverse;
  }

  const LinearPass& p_;
  tensor::Buffer key_;  ///< φ(K)ᵀ: [dim, chunk], so that the loop over keys reads what lies side by side
  tensor::Buffer features_, weights_, sum_;
};

}  // namespace

void linear_chunked(const LinearProblem& p, LinearOutput& out) {
  const LinearPass pass = pass_of(p, out);
  run_chunks<Worker>(pass, Worker::carried(pass));
}

std::size_t linear_chunked_workspace(const LinearProblem& p) {
  const LinearPass pass = sizes_of(p);
  return carried_workspace(pass, Worker::carried(pass)) +
         static_cast<std::size_t>(omp_get_max_threads() * Worker::floats(pass)) * sizeof(float);
}

}  // namespace attention::self_attention
