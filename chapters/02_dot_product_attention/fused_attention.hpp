#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "mask.hpp"
#include "simd/storage.hpp"
#include "tensor/tensor.hpp"

/// The fused rung for later chapters: matrices that lie anywhere, masks, fewer key heads than query heads, linear biases.
namespace attention::dot_product {

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

/// The rows of a tensor [batch, heads, n, width].
template <class Real>
Rows<Real> rows_of(Real* data, Index heads, Index n, Index width) {
  return {data, heads * n * width, n * width, width};
}

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
  simd::Storage storage = simd::Storage::float32;  ///< of K and V; in 16 bits they stand in key16 and value16 instead
  Rows<const std::uint16_t> key16;
  Rows<const std::uint16_t> value16;
  Rows<float> output;       ///< [batch, heads, queries, value_dim]; may lie where the query does, if its rows are as long
  float* lse = nullptr;     ///< [batch, heads, queries] side by side: log-sum-exp of the scores; null: not asked
  float scale = 1;
  float softcap = 0;  ///< above 0: a score s becomes softcap · tanh(s / softcap), before anything is added
  Mask mask;
  const Index* positions = nullptr;  ///< [queries], ascending: where the queries stand in their sequence; null: 0, 1, 2, …
  const Index* key_lengths = nullptr;  ///< [batch]: keys from there on are masked (0 … keys); null: none
  const Index* key_offsets = nullptr;  ///< [batch]: takes the place of mask.offset, and may be negative; null: the same for all
  Rows<const bool> allowed;            ///< [batch, heads, queries, keys], a stride of 0 repeats: false masks; data null: none
  Rows<const float> bias;              ///< likewise: added to the scores; −inf masks
  /// Called with (b, first, rows) by the thread that has written these rows of all heads of problem b, while they may still be in
  /// its cache. Then a thread takes all heads of a block of queries; empty: blocks and heads are shared out one by one.
  std::function<void(Index b, Index first, Index rows)> rows_done;
  const float* slopes = nullptr;  ///< [heads]: adds −slope · |distance| to a score (ALiBi, Press et al. 2022); null: nothing
};

/// Fills output and lse. A row that sees no key becomes 0, its lse −inf. The same bits with any number of threads.
void fused_attention(const FusedProblem& problem);

/// Bytes of scratch memory that fused_attention takes with the number of threads now in use.
std::size_t fused_attention_workspace(const FusedProblem& problem);

}  // namespace attention::dot_product
