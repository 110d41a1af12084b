#pragma once

#include "rungs/packing.hpp"
#include "simd/micro_kernel.hpp"
#include "tensor/tensor.hpp"

namespace attention::dot_product {

/// How the fused pass computes with a block of keys: what is packed, the two products, and the softmax between them. Here in
/// float32, the fused rung's own way; who computes otherwise overrides a part. Which keys and queries meet, and what is
/// gathered from block to block, is the pass's own affair.
///
/// What is packed stands in words of 32 bits: a float each, or two bfloat16.
class BlockArithmetic {
 public:
  BlockArithmetic() : BlockArithmetic(simd::strip_kernels<simd::FloatTerms>(), simd::tile_rows) {}
  virtual ~BlockArithmetic() = default;

  /// Numbers in a word: neighbours along dim in Q and K, neighbouring keys in the weights and V.
  virtual Index numbers_in_word() const { return 1; }
  Index words_of(Index numbers) const { return (numbers + numbers_in_word() - 1) / numbers_in_word(); }
  /// Matrix of scratch memory that packing takes.
  virtual Index room(Index dim) const { return dim; }
  /// Whether V must be packed; else it is read where it is.
  virtual bool packs_values(Index row_stride, Index value_dim) const {
    return !values_fit(row_stride, value_dim, simd::lanes);
  }

  /// A row of Q, scaled, becomes words_of(dim) words.
  virtual void pack_query(const float* query, Index dim, float* to) const;
  /// `count` rows of K become packed_keys_size(count, words_of(dim)) words in `to`. Gives what scores() reads.
  virtual Matrix pack_keys(Matrix key, Index count, Index dim, float* room, float* to) const;
  /// `count` rows of V become words_of(count) rows of whole vectors in `to`. Gives what values() reads.
  virtual Matrix pack_values(Matrix value, Index count, Index value_dim, float* to) const;
  /// Whether what values() reads holds no NaN and no infinity.
  virtual bool all_finite(Matrix packed, Index count, Index value_dim) const;

  /// scores[i][j] = q_i · k_j for a band of queries and a block of keys.
  virtual void scores(Matrix query, Index rows, Matrix packed, Index keys, Index dim, float* scores, Index stride) const;
  /// One row of scores, in powers of two, becomes packed weights 2^(score − m_i): see online_softmax, whose value it gives.
  virtual float softmax(float* row, Index keys, float& m_i, float& l_i) const;
  /// sum_i = Σ_j weights[i][j] · v_j for a band of queries and a block of keys; its rows are `stride` long.
  void values(Matrix weights, Index rows, Matrix packed, Index keys, float* sum, Index stride) const;

 protected:
  /// `kernels` multiply strips of at most `strip_rows` rows.
  BlockArithmetic(simd::StripKernels kernels, Index strip_rows) : kernels_(kernels), strip_rows_(strip_rows) {}

 private:
  simd::StripKernels kernels_;
  Index strip_rows_;
};

}  // namespace attention::dot_product
