#pragma once

#include <cstdint>
#include <span>

#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

/// Additive attention (Bahdanau, Cho, Bengio 2014, section 3.1 and appendix A.1.2):
///
///     score_ij  = vᵀ tanh(W q_i + U k_j)
///     weights_i = softmax over j of score_ij
///     output_i  = Σ_j weights_ij value_j
///
/// A small network with one hidden layer compares a query with a key; W, U and v are its parameters.
namespace attention::additive {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// What is given. Any sizes of 1 and more.
struct Problem {
  Tensor<2> query;  ///< [queries, query_dim]
  Tensor<2> key;    ///< [keys, key_dim]
  Tensor<2> value;  ///< [keys, value_dim]
  Tensor<2> W;      ///< [hidden, query_dim]
  Tensor<2> U;      ///< [hidden, key_dim]
  Tensor<1> v;      ///< [hidden]

  Index queries() const { return tensor::extent(query, 0); }
  Index keys() const { return tensor::extent(key, 0); }
  Index query_dim() const { return tensor::extent(query, 1); }
  Index key_dim() const { return tensor::extent(key, 1); }
  Index value_dim() const { return tensor::extent(value, 1); }
  Index hidden() const { return tensor::extent(v, 0); }
};

/// What is asked for.
template <class Real>
struct OutputOf {
  TensorOf<Real, 2> output;   ///< [queries, value_dim]
  TensorOf<Real, 1> lse;      ///< [queries]: log of the sum of exp(scores) over the keys, natural logarithm
  TensorOf<Real, 2> weights;  ///< [queries, keys] where the rung stores them, else empty
  TensorOf<Real, 2> spare_weights = {};  ///< memory for them while they are not stored
};
using Output = OutputOf<float>;

/// The formula in float64, and how large its sums became on their way: every addition rounds in proportion to what has been
/// summed so far, so the error bounds follow from these. Each is the largest of all pairs, or rows.
struct Reference : OutputOf<double> {
  double score_sums = 0;  ///< largest |partial sum| of Σ_h v_h tanh(…), and of Σ_h v_h, which some rungs sum instead; added
  /// sqrt(Σ_h (v_h (1 − tanh²) A_h)²), A_h the largest partial sums of (W q)_h and (U k)_h together: by how much the score
  /// moves where each projection is off by its share of A_h.
  double argument_sums = 0;
  double v_length = 0;       ///< sqrt(Σ v_h²)
  double v_sum = 0;          ///< Σ |v_h|
  double value_sums = 0;     ///< largest |partial sum| of weights · value
  double concentration = 0;  ///< largest sqrt(Σ_j weights_j²) of a row: 1 where one key takes all, 1/sqrt(keys) where all share
};

/// The size of the output for `problem`; `weights` only where they are stored. Storage that fits already is kept.
void prepare(const Problem& problem, Output& output, bool store_weights);

/// The oracle: the formula in float64, plain loops, in parallel over the rows.
Reference reference(const Problem& problem);

/// A problem whose queries, keys and values are normal with variance 1. W and U have variance 1 / query_dim and 1 / key_dim, so
/// that the projections have variance 1 too, and v has variance 1 / hidden.
/// Hard ones: large scores (v × 100), equal keys, a last key × 100 (every tanh saturates), queries and keys that are zero,
/// negative zero or denormal.
Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same but for the queries: only these rows.
Problem take_queries(const Problem& problem, std::span<const Index> rows);

/// The work of the cheapest way known, that of the rung "factorised": the projections and their exponentials once, five
/// operations a pair and hidden unit, a reciprocal for 16 of them, and the softmax.
ladder::Cost cost(const Problem& problem);

/// The mechanism with its ladder.
using Additive = ladder::Mechanism<Problem, Output, Reference>;
const Additive& mechanism();

/// For the registry: all mechanisms of this chapter.
std::vector<ladder::MechanismPtr> mechanisms();

}  // namespace attention::additive
