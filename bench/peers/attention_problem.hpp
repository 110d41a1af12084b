#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "serve.hpp"

// Dot-product attention as the peers in C++ are asked for it.
namespace attention::peers {

using tensor::Tensor;

/// Keys first … last − 1.
struct Keys {
  Index first = 0;
  Index last = 0;
};

/// Dot-product attention as it is asked for. Shape keys that are not told take their defaults.
struct AttentionProblem {
  Index batch = 1;
  Index heads = 1;
  Index kv_heads = 1;  ///< divides heads; heads h · heads/kv_heads … share key head h
  Index queries = 1;
  Index keys = 1;
  Index dim = 1;
  Index value_dim = 1;
  bool causal = false;  ///< no query sees a later key; the last query stands beside the last key
  Index window = 0;     ///< a query sees only keys less than this away; 0: all
  float scale = 1;      ///< 1/sqrt(dim)
  int threads = 1;
  std::vector<Tensor<4>> query;  ///< [batch, heads, queries, dim], a copy for each turn
  std::vector<Tensor<4>> key;    ///< [batch, kv_heads, keys, dim]
  std::vector<Tensor<4>> value;  ///< [batch, kv_heads, keys, value_dim]

  std::array<Index, 4> output_shape() const { return {batch, heads, queries, value_dim}; }
  std::size_t copies() const { return query.size(); }
  /// The keys that query i sees.
  Keys keys_of(Index i) const;
  /// The first matrix of a head in copy `turn`; `head` counts over batch and heads together.
  const float* query_of(std::size_t turn, Index head) const { return query[turn].data() + head * queries * dim; }
  const float* key_of(std::size_t turn, Index head) const { return key[turn].data() + kv_head(head) * keys * dim; }
  const float* value_of(std::size_t turn, Index head) const {
    return value[turn].data() + kv_head(head) * keys * value_dim;
  }
  Index all_heads() const { return batch * heads; }

 private:
  Index kv_head(Index head) const { return head / heads * kv_heads + head % heads / (heads / kv_heads); }
};

/// The problem that `open` tells of (bench/peer_process.hpp), with its inputs. Throws Unsupported.
AttentionProblem read_attention(const Json& open);

}  // namespace attention::peers
