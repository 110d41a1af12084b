#pragma once

#include "fused_attention.hpp"
#include "tensor/tensor.hpp"

namespace attention::self_attention {

using tensor::Index;

/// The keys and values of the tokens so far, of one layer: a model that writes a text asks for them again with every new token,
/// and they never change, since no token sees a later one. What is kept is 2 · key_heads · dim floats a token and sequence.
///
/// In memory [batch, key_heads, capacity, dim], once for K and once for V: the rows that a query reads lie one after the other.
class KeyValueCache {
 public:
  /// Any sizes of 1 and more.
  struct Sizes {
    Index batch = 1;      ///< independent sequences, all of one length
    Index key_heads = 1;  ///< heads of K and V; the queries may have a multiple (Ainslie et al. 2023)
    Index dim = 1;        ///< of a key, and of a value
  };
  /// What a full cache does.
  enum class Growth {
    doubling,  ///< moves to twice the capacity: each token is copied about once in all
    fixed,     ///< refuses more tokens
  };

  /// Empty. Throws UserError for sizes below 1, or a negative capacity.
  explicit KeyValueCache(const Sizes& sizes, Index capacity = 16, Growth growth = Growth::doubling);

  Index size() const { return size_; }          ///< tokens held
  Index capacity() const { return capacity_; }  ///< tokens that there is room for
  std::size_t bytes() const;                    ///< of memory, K and V together

  /// Takes the keys and values of the next `count` tokens, [batch, key_heads, count, dim] each, wherever they lie. Throws
  /// UserError where `count` is below 1 or a fixed capacity does not suffice; then nothing has changed.
  void append(const dot_product::Rows<const float>& key, const dot_product::Rows<const float>& value, Index count);

  /// Forgets all tokens but the first `size`. Throws UserError where there are not so many.
  void truncate(Index size);

  /// Attention of the last `asked.queries` tokens held. The caller sets heads, queries, query, output, lse, scale, slopes and the
  /// mask as for a whole sequence (with Mask::causal() token i sees 0 … i); sizes of keys and values, and how many keys came
  /// before the first query, are the cache's. Throws UserError where it holds fewer tokens, or key_heads does not divide heads.
  void attend(dot_product::FusedProblem asked) const;

 private:
  void move_to(Index capacity);

  Sizes sizes_;
  Growth growth_;
  Index size_ = 0;
  Index capacity_;
  tensor::Tensor<4> key_;
  tensor::Tensor<4> value_;
};

}  // namespace attention::self_attention
