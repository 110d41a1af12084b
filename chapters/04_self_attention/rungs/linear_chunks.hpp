#pragma once

#include <omp.h>

#include <algorithm>

#include "rungs/linear_rungs.hpp"

// The order in which the chunked rungs work; what they do with a chunk is theirs.
namespace attention::self_attention {

/// Tokens first … first + count − 1 of key head g of problem b.
struct Chunk {
  Index b, g, first, count;
};

/// The state as it is carried from chunk to chunk: S, rows of `stride` floats of which value_dim count, then z, `dim_stride`
/// floats of which dim count; zeros beyond.
struct CarriedState {
  Index dim;
  Index dim_stride;
  Index stride;
  Index size() const { return dim * stride + dim_stride; }
  float* normalizer(float* state) const { return state + dim * stride; }
  const float* normalizer(const float* state) const { return state + dim * stride; }

  void take(const LinearPass& p, Index b, Index g, float* to) const {
    for (Index c = 0; c < dim; ++c) {
      std::copy_n(p.state_of(b, g) + c * p.value_dim, p.value_dim, to + c * stride);
      std::fill_n(to + c * stride + p.value_dim, stride - p.value_dim, 0.F);
    }
    std::fill_n(normalizer(to), dim_stride, 0.F);
    if (p.normalizer) std::copy_n(p.normalizer_of(b, g), dim, normalizer(to));
  }
  void give(const LinearPass& p, Index b, Index g, const float* from) const {
    for (Index c = 0; c < dim; ++c) std::copy_n(from + c * stride, p.value_dim, p.state_of(b, g) + c * p.value_dim);
    if (p.normalizer) std::copy_n(normalizer(from), dim, p.normalizer_of(b, g));
  }
};

inline Index chunks_of(const LinearPass& p) { return (p.n + linear_chunk - 1) / linear_chunk; }

/// Floats of states that are held at once where chunks are shared: few enough for a cache, unless one state is large.
inline constexpr Index most_held = Index{1} << 22;

/// Chunks of a head that are shared among the threads at once; 0 where whole heads are shared instead, which needs no waiting and
/// makes features once, but leaves threads idle where heads are few. Any number gives the same bits.
inline Index shared_chunks(const LinearPass& p, CarriedState carried) {
  const Index threads = omp_get_max_threads();
  const Index heads = p.batch * p.key_heads;
  if (threads == 1 || heads % threads == 0 || heads >= 8 * threads || chunks_of(p) == 1) return 0;
  const Index room = most_held / (heads * carried.size());
  return room < threads ? 0 : std::min({chunks_of(p), room, std::max<Index>(32, 4 * threads)});
}

/// The recurrence over chunks: every chunk is met by its queries and, through the state, by all chunks behind it. The sum over the
/// tokens is the sum over chunks, one after the other, of the sum over each: an order that the shape alone gives.
///
/// Worker, one for each thread, made from the pass:
///   load(chunk)            reads keys and values
///   attend(chunk, state)   the outputs of the chunk that is loaded, from the state before it
///   add(chunk, state)      state += the sum over the chunk that is loaded; the whole sum is added at once
template <class Worker>
void run_chunks(const LinearPass& p, CarriedState carried) {
  const Index chunks = chunks_of(p);
  const Index shared = shared_chunks(p, carried);
  const auto chunk_at = [&](Index b, Index g, Index t) {
    return Chunk{b, g, t * linear_chunk, std::min(linear_chunk, p.n - t * linear_chunk)};
  };
  const auto floats = [](Index n) { return static_cast<std::size_t>(n); };
  if (shared == 0) {
#pragma omp parallel
    {
      Worker worker(p);
      tensor::UnsetBuffer state(floats(carried.size()));
#pragma omp for collapse(2) schedule(dynamic)
      for (Index b = 0; b < p.batch; ++b)
        for (Index g = 0; g < p.key_heads; ++g) {
          carried.take(p, b, g, state.data());
          for (Index t = 0; t < chunks; ++t) {
            worker.load(chunk_at(b, g, t));
            worker.attend(chunk_at(b, g, t), state.data());
            worker.add(chunk_at(b, g, t), state.data());
          }
          carried.give(p, b, g, state.data());
        }
    }
    return;
  }
  // All heads side by side, some chunks of each at a time; place 0 of a head's states is the state before them.
  const Index heads = p.batch * p.key_heads;
  const Index size = carried.size();
  const Index places = shared + 1;
  tensor::UnsetBuffer states(floats(heads * places * size));
#pragma omp parallel
  {
    Worker worker(p);
#pragma omp for schedule(static)
    for (Index head = 0; head < heads; ++head)
      carried.take(p, head / p.key_heads, head % p.key_heads, states.data() + head * places * size);
    for (Index first = 0; first < chunks; first += shared) {
      const Index count = std::min(shared, chunks - first);
#pragma omp for collapse(2) schedule(dynamic)
      for (Index head = 0; head < heads; ++head)
        for (Index t = 0; t < count; ++t) {  // each chunk's own sum, at the place behind it
          float* own = states.data() + (head * places + t + 1) * size;
          std::fill_n(own, size, 0.F);
          const Chunk chunk = chunk_at(head / p.key_heads, head % p.key_heads, first + t);
          worker.load(chunk);
          worker.add(chunk, own);
        }
#pragma omp for collapse(2) schedule(static)
      for (Index head = 0; head < heads; ++head)
        for (Index c = 0; c < carried.dim + 1; ++c) {  // running sums: rows of S, and z
          float* row = states.data() + head * places * size + c * carried.stride;
          const Index width = c < carried.dim ? carried.stride : carried.dim_stride;
          for (Index t = 0; t < count; ++t)
            for (Index x = 0; x < width; ++x) row[(t + 1) * size + x] = row[t * size + x] + row[(t + 1) * size + x];
        }
#pragma omp for collapse(2) schedule(dynamic)
      for (Index head = 0; head < heads; ++head)
        for (Index t = 0; t < count; ++t) {
          const Chunk chunk = chunk_at(head / p.key_heads, head % p.key_heads, first + t);
          worker.load(chunk);
          worker.attend(chunk, states.data() + (head * places + t) * size);
        }
#pragma omp for schedule(static)
      for (Index head = 0; head < heads; ++head)  // what comes next begins where this has ended
        std::copy_n(states.data() + (head * places + count) * size, size, states.data() + head * places * size);
    }
#pragma omp for schedule(static)
    for (Index head = 0; head < heads; ++head)
      carried.give(p, head / p.key_heads, head % p.key_heads, states.data() + head * places * size);
  }
}

/// Bytes of what run_chunks holds beside its workers.
inline std::size_t carried_workspace(const LinearPass& p, CarriedState carried) {
  const Index shared = shared_chunks(p, carried);
  const Index states = shared > 0 ? p.batch * p.key_heads * (shared + 1) : omp_get_max_threads();
  return static_cast<std::size_t>(states * carried.size()) * sizeof(float);
}

}  // namespace attention::self_attention
