#pragma once

#include <limits>

#include "rungs/interleaved.hpp"
#include "tensor/tensor.hpp"

namespace attention::dot_product {

/// How the fused pass computes with a block of keys: what is packed, the two products, and the softmax between them. Here in
/// float32, the fused rung's own way; who computes otherwise overrides a part. Which keys and queries meet, and what is
/// gathered from block to block, is the pass's own affair.
///
/// A query is a lane. So Q, the scores, the weights and the output are held transposed: a row for each entry of dim, for each
/// key, or for each column of V, and in it a band of up to band_queries queries, `vectors` vectors wide.
///
/// What is packed stands in words of 32 bits: a float each, or two bfloat16.
class BlockArithmetic {
 public:
  BlockArithmetic() : BlockArithmetic(&simd::multiply_interleaved<simd::FloatTerms>) {}
  virtual ~BlockArithmetic() = default;

  /// Numbers in a word: neighbours along dim in Q and K, neighbouring keys in the weights and V.
  virtual Index numbers_in_word() const { return 1; }
  Index words_of(Index numbers) const { return (numbers + numbers_in_word() - 1) / numbers_in_word(); }
  /// Floats of scratch memory that packing takes.
  virtual Index room(Index dim) const { return dim; }
  /// Whether K is packed for so many queries, or read where it is. Rows that lie side by side are read as fast where they are; rows far
  /// apart fight for the same few cache lines, and that is worth a copy, if not for a few queries. The sums are the same, in the same
  /// order.
  virtual bool packs_keys(Index queries, Index row_stride, Index dim) const { return queries > few_queries && row_stride != dim; }
  /// Whether V must be packed; else it is read where it is.
  virtual bool packs_values(Index row_stride, Index value_dim) const { return !values_fit_in_place(row_stride, value_dim); }

  /// A row of Q, scaled, becomes words_of(dim) words.
  virtual void pack_query(const float* query, Index dim, float* to) const;
  /// `count` rows of K become interleaved_size(count, words_of(dim)) words in `to`, where packs_keys says so.
  virtual Interleaved pack_keys(Matrix key, Index count, Index dim, Index queries, float* room, float* to) const;
  /// `count` rows of V become interleaved_size(value_dim, words_of(count)) words in `to`, where packs_values says so.
  virtual Interleaved pack_values(Matrix value, Index count, Index value_dim, float* to) const;

  /// scores[j][i] = k_j · q_i for a band of queries and keys first … first + count of what pack_keys gave.
  void scores(const float* query, int vectors, Interleaved key, Index first, Index count, Index dim, float* scores) const;
  /// Scores, in powers of two, become packed weights 2^(score − m_i): see online_softmax_of_lanes.
  virtual void softmax(float* scores, Index keys, int vectors, float* m, float* l, float* alpha) const;
  /// O_i = alpha_i · O_i + Σ_j weights[j][i] · v_j for the same queries and keys.
  void values(const float* weights, int vectors, Interleaved value, Index first, Index count, Index value_dim, const float* alpha,
              float* output) const;

 protected:
  static constexpr Index all_rows = std::numeric_limits<Index>::max();
  /// `multiply` is given so many keys, or columns of V, at a time.
  explicit BlockArithmetic(simd::MultiplyInterleaved multiply, Index rows_at_a_time = all_rows)
      : multiply_(multiply), rows_at_a_time_(rows_at_a_time) {}

 private:
  static constexpr Index few_queries = simd::interleaved_vectors * simd::lanes;

  simd::MultiplyInterleaved multiply_;
  Index rows_at_a_time_;
};

}  // namespace attention::dot_product
