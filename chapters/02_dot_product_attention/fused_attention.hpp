#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "tensor/tensor.hpp"

/// The fused rung for later chapters: matrices that lie anywhere, masks, fewer key heads than query heads, linear biases.
namespace attention::dot_product {

using tensor::Index;

/// The rows of a matrix for every problem of a batch and every head, wherever they lie; the elements of a row lie side by
/// side. [batch, heads, n, dim] and [batch, n, heads, dim] are both such.
template <class Real>
struct Rows {
  Real* data = nullptr;
  Index batch_stride = 0;  ///< elements from one problem of the batch to the next
  Index head_stride = 0;   ///< … from one head to the next
  Index row_stride = 0;    ///< … from one row to the next

  Real* row(Index b, Index h, Index i) const { return data + b * batch_stride + h * head_stride + i * row_stride; }
};

/// Keys first … last − 1.
struct KeyRange {
  Index first = 0;
  Index last = 0;
};

/// Which keys a query sees: query i those from i + offset − left to i + offset + right. What is masked has no effect, whatever
/// it holds.
struct Mask {
  static constexpr Index everything = std::numeric_limits<Index>::max() / 4;
  Index left = everything;
  Index right = everything;
  Index offset = 0;  ///< keys that came before the first query, as a cache holds them

  static Mask full() { return {}; }
  /// No query sees a later key.
  static Mask causal(Index past_keys = 0) { return {everything, 0, past_keys}; }
  /// The query's own key and the `keys` − 1 before it.
  static Mask sliding_window(Index keys, Index past_keys = 0) { return {keys - 1, 0, past_keys}; }

  bool is_full() const { return left == everything && right == everything; }
  /// Both ends grow with the query.
  KeyRange keys_of(Index query, Index keys) const {
    const Index first = std::clamp<Index>(query + offset - left, 0, keys);
    return {first, std::clamp<Index>(query + offset + right + 1, first, keys)};
  }
};

/// softmax(scale · Q Kᵀ + bias) V, row by row, over the keys that are not masked. What masks: `mask`, `key_lengths`, `allowed`,
/// and −inf in `bias`; a key is seen where none of them hides it.
struct FusedProblem {
  Index batch = 1;
  Index heads = 1;
  Index key_heads = 1;  ///< divides heads; heads h · heads/key_heads … share key head h (Ainslie et al. 2023)
  Index queries = 0;
  Index keys = 0;
  Index dim = 0;
  Index value_dim = 0;
  Rows<const float> query;  ///< [batch, heads, queries, dim]
  Rows<const float> key;    ///< [batch, key_heads, keys, dim]
  Rows<const float> value;  ///< [batch, key_heads, keys, value_dim]
  Rows<float> output;       ///< [batch, heads, queries, value_dim]; may lie where the query does, if its rows are as long
  float* lse = nullptr;     ///< [batch, heads, queries] side by side: log-sum-exp of the scores; null: not asked
  float scale = 1;
  float softcap = 0;  ///< above 0: a score s becomes softcap · tanh(s / softcap), before anything is added
  Mask mask;
  const Index* key_lengths = nullptr;  ///< [batch]: keys from there on are masked (0 … keys); null: none
  const Index* key_offsets = nullptr;  ///< [batch]: takes the place of mask.offset, and may be negative; null: the same for all
  Rows<const bool> allowed;            ///< [batch, heads, queries, keys], a stride of 0 repeats: false masks; data null: none
  Rows<const float> bias;              ///< likewise: added to the scores; −inf masks
  const float* slopes = nullptr;  ///< [heads]: adds −slope · |distance| to a score (ALiBi, Press et al. 2022); null: nothing
};

/// Fills output and lse. A row that sees no key becomes 0, its lse −inf. The same bits with any number of threads.
void fused_attention(const FusedProblem& problem);

/// Bytes of scratch memory that fused_attention takes with the number of threads now in use.
std::size_t fused_attention_workspace(const FusedProblem& problem);

}  // namespace attention::dot_product
