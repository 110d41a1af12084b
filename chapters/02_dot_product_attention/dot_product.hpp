#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ladder/mechanism.hpp"
#include "mask.hpp"
#include "simd/storage.hpp"
#include "tensor/tensor.hpp"

/// Dot-product attention (Vaswani et al. 2017, equation 1):
///
///     scores  = scale · Q Kᵀ                      [queries × keys]
///     weights = softmax(scores), row by row
///     output  = weights · V                       [queries × value_dim]
///
/// with scale = 1/sqrt(dim) unless the caller sets another; scale = 1 is the unscaled form (Luong et al. 2015, "dot").
namespace attention::dot_product {

using tensor::Tensor;
using tensor::TensorOf;

/// What is given. Any sizes of 1 and more; queries and keys may differ, dim and value_dim too. A score of a key that a query
/// does not see is left out of its softmax; a query that sees none gets 0, its log-sum-exp is −inf.
struct Problem {
  Tensor<4> query;  ///< [batch, heads, queries, dim]
  Tensor<4> key;    ///< [batch, key_heads, keys, dim]; heads h · heads/key_heads … share key head h (Ainslie et al. 2023)
  Tensor<4> value;  ///< [batch, key_heads, keys, value_dim]
  float scale = 1;  ///< factor on every score
  Mask mask = {};   ///< which keys a query sees
  std::vector<Index> positions = {};  ///< of the queries in their sequence, ascending; empty: 0, 1, 2, …
  simd::Storage storage = simd::Storage::float32;  ///< where not float32: K and V hold values that fit 16 bits, and stand …
  TensorOf<std::uint16_t, 4> key16 = {};           ///< … here in so many; only the top rung reads them
  TensorOf<std::uint16_t, 4> value16 = {};

  Index batch() const { return tensor::extent(query, 0); }
  Index heads() const { return tensor::extent(query, 1); }
  Index key_heads() const { return tensor::extent(key, 1); }
  Index queries() const { return tensor::extent(query, 2); }
  Index keys() const { return tensor::extent(key, 2); }
  Index dim() const { return tensor::extent(query, 3); }
  Index value_dim() const { return tensor::extent(value, 3); }

  /// First element of one head's matrix, row-major with rows of dim (value_dim) elements.
  const float* query_of(Index b, Index h) const { return query.data() + (b * heads() + h) * queries() * dim(); }
  const float* key_of(Index b, Index h) const { return key.data() + key_head(b, h) * keys() * dim(); }
  const float* value_of(Index b, Index h) const { return value.data() + key_head(b, h) * keys() * value_dim(); }
  /// The key head that serves a head, counted over the whole batch.
  Index key_head(Index b, Index h) const { return b * key_heads() + h / (heads() / key_heads()); }

  /// The keys that query i sees.
  KeyRange keys_of(Index i) const { return mask.keys_of(positions.empty() ? i : positions[static_cast<std::size_t>(i)], keys()); }
  /// The keys that some of the queries first … first + count sees.
  KeyRange keys_of_block(Index first, Index count) const { return {keys_of(first).first, keys_of(first + count - 1).last}; }
};

/// What is asked for.
template <class Real>
struct OutputOf {
  TensorOf<Real, 4> output;   ///< [batch, heads, queries, value_dim]
  TensorOf<Real, 3> lse;      ///< [batch, heads, queries]: log of the sum of exp(scores) over the keys, natural logarithm
  TensorOf<Real, 4> weights;  ///< [batch, heads, queries, keys] where the rung stores them, else empty
  TensorOf<Real, 4> spare_weights = {};  ///< memory for them while they are not stored

  Index queries() const { return tensor::extent(output, 2); }
  Index value_dim() const { return tensor::extent(output, 3); }

  Real* output_of(Index b, Index h) {
    return output.data() + (b * tensor::extent(output, 1) + h) * queries() * value_dim();
  }
  Real* lse_of(Index b, Index h) { return lse.data() + (b * tensor::extent(lse, 1) + h) * queries(); }
  Real* weights_of(Index b, Index h) {
    return weights.data() + (b * tensor::extent(weights, 1) + h) * queries() * tensor::extent(weights, 3);
  }
};
using Output = OutputOf<float>;

/// The formula in float64, and how large its sums became on their way: every addition rounds in proportion to what has been
/// summed so far, so the error bounds follow from these.
struct Reference : OutputOf<double> {
  double score_sums = 0;     ///< largest |partial sum| of q · k over all pairs (at least the root of its terms' squares), times scale
  double value_sums = 0;     ///< largest |partial sum| of weights · V
  double concentration = 0;  ///< largest sqrt(Σ_j weights_j²) of a row: 1 where one key takes all, 1/sqrt(keys) where all share
};

/// The size of the output for `problem`; `weights` only where they are stored. Storage that fits already is kept.
void prepare(const Problem& problem, Output& output, bool store_weights);

/// The oracle: the formula in float64, three plain loops, in parallel over the rows.
Reference reference(const Problem& problem);

/// A problem whose entries are normal with variance 1, scale 1/sqrt(dim).
/// Hard ones: large scores (queries × 50), equal keys, one outlier key a row, signed zeros and tiny values.
Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The settings of a problem whose tensors are given: scale, causal, window; and what they are in a problem that has its sizes.
std::vector<ladder::Setting> settings();
float scale_of(const ladder::Inputs& inputs, Index dim);
Mask mask_of(const ladder::Inputs& inputs, Index queries, Index keys);

/// The same keys and values, only these query rows (of every head).
Problem take_queries(const Problem& problem, std::span<const Index> rows);

/// Multiply-adds of the two products over visible pairs, inputs (the keys that are seen, as they are stored) and output once,
/// one exponential a visible pair.
ladder::Cost cost(const Problem& problem);

/// The mechanism with its ladder.
using DotProduct = ladder::Mechanism<Problem, Output, Reference>;
const DotProduct& mechanism();

/// The top rung of the ladder, and the same without one of its steps.
const DotProduct& steps();
ladder::MechanismPtr steps_mechanism();

/// For the registry: all mechanisms of this chapter.
std::vector<ladder::MechanismPtr> mechanisms();

}  // namespace attention::dot_product
