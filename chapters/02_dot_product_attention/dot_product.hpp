#pragma once

#include <cstdint>
#include <span>

#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

/// Dot-product attention (Vaswani et al. 2017, equation 1):
///
///     scores  = scale · Q Kᵀ                      [queries × keys]
///     weights = softmax(scores), row by row
///     output  = weights · V                       [queries × value_dim]
///
/// with scale = 1/sqrt(dim) unless the caller sets another; scale = 1 is the unscaled form (Luong et al. 2015, "dot").
namespace attention::dot_product {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// What is given. Any sizes of 1 and more; queries and keys may differ, dim and value_dim too.
struct Problem {
  Tensor<4> query;  ///< [batch, heads, queries, dim]
  Tensor<4> key;    ///< [batch, heads, keys, dim]
  Tensor<4> value;  ///< [batch, heads, keys, value_dim]
  float scale = 1;  ///< factor on every score

  Index batch() const { return tensor::extent(query, 0); }
  Index heads() const { return tensor::extent(query, 1); }
  Index queries() const { return tensor::extent(query, 2); }
  Index keys() const { return tensor::extent(key, 2); }
  Index dim() const { return tensor::extent(query, 3); }
  Index value_dim() const { return tensor::extent(value, 3); }

  /// First element of one head's matrix, row-major with rows of dim (value_dim) elements.
  const float* query_of(Index b, Index h) const { return query.data() + (b * heads() + h) * queries() * dim(); }
  const float* key_of(Index b, Index h) const { return key.data() + (b * heads() + h) * keys() * dim(); }
  const float* value_of(Index b, Index h) const { return value.data() + (b * heads() + h) * keys() * value_dim(); }
};

/// What is asked for.
template <class Real>
struct OutputOf {
  TensorOf<Real, 4> output;   ///< [batch, heads, queries, value_dim]
  TensorOf<Real, 3> lse;      ///< [batch, heads, queries]: log of the sum of exp(scores) over the keys, natural logarithm
  TensorOf<Real, 4> weights;  ///< [batch, heads, queries, keys] where the rung stores them, else empty

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

/// The same keys and values, only these query rows (of every head).
Problem take_queries(const Problem& problem, std::span<const Index> rows);

/// Multiply-adds of the two products, inputs and output once, one exponential a pair.
ladder::Cost cost(const Problem& problem);

/// The mechanism with its ladder.
using DotProduct = ladder::Mechanism<Problem, Output, Reference>;
const DotProduct& mechanism();

/// For the registry: all mechanisms of this chapter.
std::vector<ladder::MechanismPtr> mechanisms();

}  // namespace attention::dot_product
