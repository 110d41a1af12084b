#pragma once

#include "self_attention.hpp"

namespace attention::self_attention {

/// c[rows × columns] = a[rows × depth] · b[depth × columns], all row-major and dense: how a rung multiplies.
using Product = void (*)(const float* a, Index rows, Index depth, const float* b, Index columns, float* c);

/// Q, K and V of a problem, with positions put in where they belong to X (sinusoidal, learned) or to Q and K (rotary).
struct Projected {
  Tensor<4> query;      ///< [batch, queries, heads, dim]
  Tensor<4> own_key;    ///< the same, of the positions asked
  Tensor<4> own_value;
  const float* key = nullptr;    ///< [batch, n, heads, dim]: own_key, but in a sample the problem's
  const float* value = nullptr;  ///< likewise
};

/// The product of the rungs "simd" and "fused": panels of b and the register-blocked micro-kernel, on all threads.
void blocked_product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c);
/// Bytes that it takes.
std::size_t blocked_product_workspace(Index depth, Index columns);

/// The tokens asked, with what positions add to them: [batch · queries, width]. `parallel`: on all threads.
Tensor<2> encoded_tokens(const Problem& problem, bool parallel);
/// Turns the rows of Q and K, [batch, heads, queries, dim], to the positions asked (RoPE).
void rotate_rows(const Problem& problem, const dot_product::Rows<float>& query, const dot_product::Rows<float>& key, bool parallel);

/// Multiplies X with the three weights. `parallel`: the encodings on all threads; the product brings its own.
/// Throws UserError where the table of learned positions has no row for a token.
Projected project(const Problem& problem, Product product, bool parallel);

/// Bytes that `project` takes.
std::size_t projection_workspace(const Problem& problem);

/// ALiBi's slope of head h, 0 with other positions.
class Slopes {
 public:
  explicit Slopes(const Problem& p) : slopes_(p.positions == Positions::linear_biases ? linear_bias_slopes(p.heads()) : std::vector<float>()) {}
  float of(Index h) const { return slopes_.empty() ? 0 : slopes_[static_cast<std::size_t>(h)]; }
  const float* data() const { return slopes_.empty() ? nullptr : slopes_.data(); }

 private:
  std::vector<float> slopes_;
};

/// −slope · |key − query|.
inline float distance_bias(float slope, Index key, Index query) {
  return -slope * static_cast<float>(static_cast<int>(key < query ? query - key : key - query));
}

/// Queries `first` … `first + count` − 1 (places among those asked) whose positions are neighbours, in one block.
struct QueryBlock {
  Index first;
  Index count;
};

/// All queries in blocks of at most `most`: one after the other, and in a sample run by run.
std::vector<QueryBlock> query_blocks(const Problem& problem, Index most);

}  // namespace attention::self_attention
