#pragma once

#include <cstdint>

#include "fused_attention.hpp"
#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

/// The backward pass of dot-product attention (Dao et al. 2022, FlashAttention, section 3.1 and appendix
/// B.2). Some loss L depends on the output O; given dO = ∂L/∂O, what are dQ = ∂L/∂Q, dK and dV?
///
///     S  = scale · Q Kᵀ                      [queries × keys]
///     P  = exp(S − lse)                      recomputed: lse is all that forward kept of them
///     dV = Pᵀ dO                             [keys × value_dim]
///     dP = dO Vᵀ                             [queries × keys]
///     dS = P ∘ (dP − D),  D_i = dO_i · O_i   [queries × keys]
///     dQ = scale · dS K                      [queries × dim]
///     dK = scale · dSᵀ Q                     [keys × dim]
///
/// A masked pair has P = dS = 0, whatever its row and its column hold.
namespace attention::dot_product {

using tensor::Tensor;
using tensor::TensorOf;

/// What is given: the inputs of forward, its two outputs, and the gradient of the output.
struct BackwardProblem {
  Tensor<4> query;            ///< [batch, heads, queries, dim]
  Tensor<4> key;              ///< [batch, heads, keys, dim]
  Tensor<4> value;            ///< [batch, heads, keys, value_dim]
  Tensor<4> output;           ///< O: [batch, heads, queries, value_dim]
  Tensor<3> lse;              ///< [batch, heads, queries], natural logarithm
  Tensor<4> output_gradient;  ///< dO: [batch, heads, queries, value_dim]
  float scale = 1;
  Mask mask;

  Index batch() const { return tensor::extent(query, 0); }
  Index heads() const { return tensor::extent(query, 1); }
  /// Heads of the whole batch: problems of their own.
  Index all_heads() const { return batch() * heads(); }
  Index queries() const { return tensor::extent(query, 2); }
  Index keys() const { return tensor::extent(key, 2); }
  Index dim() const { return tensor::extent(query, 3); }
  Index value_dim() const { return tensor::extent(value, 3); }
  /// The keys that query i sees.
  KeyRange keys_of(Index i) const { return mask.keys_of(i, keys()); }

  /// One head's matrices, `head` counted through the whole batch; rows of dim (value_dim) elements.
  const float* query_of(Index head) const { return query.data() + head * queries() * dim(); }
  const float* key_of(Index head) const { return key.data() + head * keys() * dim(); }
  const float* value_of(Index head) const { return value.data() + head * keys() * value_dim(); }
  const float* output_of(Index head) const { return output.data() + head * queries() * value_dim(); }
  const float* lse_of(Index head) const { return lse.data() + head * queries(); }
  const float* output_gradient_of(Index head) const {
    return output_gradient.data() + head * queries() * value_dim();
  }
};

/// What is asked for.
template <class Real>
struct BackwardOutputOf {
  TensorOf<Real, 4> query_gradient;  ///< dQ: [batch, heads, queries, dim]
  TensorOf<Real, 4> key_gradient;    ///< dK: [batch, heads, keys, dim]
  TensorOf<Real, 4> value_gradient;  ///< dV: [batch, heads, keys, value_dim]

  Real* query_gradient_of(Index head) { return matrix(query_gradient, head); }
  Real* key_gradient_of(Index head) { return matrix(key_gradient, head); }
  Real* value_gradient_of(Index head) { return matrix(value_gradient, head); }

 private:
  static Real* matrix(TensorOf<Real, 4>& all, Index head) {
    return all.data() + head * tensor::extent(all, 2) * tensor::extent(all, 3);
  }
};
using BackwardOutput = BackwardOutputOf<float>;

/// The formula in float64, and how large its sums became: the error bounds follow from these
/// (backward_ladder.cpp). A sum of products is never larger than the product of the two norms, wherever it is
/// stopped.
struct BackwardReference : BackwardOutputOf<double> {
  double score_sums = 0;            ///< scale · largest |q_i| · largest |k_j|
  double weight_gradient_sums = 0;  ///< largest |dO_i| · largest |v_j|
  double delta_sums = 0;            ///< largest |dO_i| |o_i|
  double gradient_norm = 0;         ///< largest |dO_i|
  double lse = 0;                   ///< largest |lse_i|
  double row_weights = 0;           ///< largest sqrt(Σ_j P_ij²)
  double column_weights = 0;        ///< largest sqrt(Σ_i P_ij²)
  double row_gradients = 0;         ///< largest sqrt(Σ_j dS_ij²)
  double column_gradients = 0;      ///< largest sqrt(Σ_i dS_ij²)
  double absolute_gradients = 0;    ///< largest Σ_j |dS_ij|
  double output_sums = 0;           ///< largest |partial sum| of Σ_j P_ij v_j
  double query_sums = 0;            ///< … of Σ_j dS_ij k_j
  double key_sums = 0;              ///< … of Σ_i dS_ij q_i
  double value_sums = 0;  ///< … of Σ_i P_ij dO_i; all four are looked at after every 64 terms and at the end
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const BackwardProblem& problem, BackwardOutput& output);

/// The queries that see a key: those whose KeyRange holds it. They lie side by side, since both ends of a
/// KeyRange grow with the query.
struct QueryRange {
  Index first = 0;
  Index last = 0;
};
QueryRange queries_of(const Mask& mask, Index key, Index queries, Index keys);

/// The oracle: the formula in float64, row by row, in parallel over the heads. It takes nothing from forward:
/// softmax and output are its own, so that a wrong O or lse shows in the gradients.
BackwardReference backward_reference(const BackwardProblem& problem);

/// Queries, keys and values as `make` of dot_product.hpp has them, of each hardness, and normal output
/// gradients. O and lse are those of fused_attention. Throws UserError where the shape's `causal` is neither
/// 0 nor 1.
BackwardProblem make_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Fills in O and lse by fused_attention, the rest being there.
void run_forward(BackwardProblem& problem);

/// Multiply-adds of the five products and one exponential for each pair that is seen; inputs and gradients
/// once.
ladder::Cost cost(const BackwardProblem& problem);

/// The mechanism with its ladder.
using Backward = ladder::Mechanism<BackwardProblem, BackwardOutput, BackwardReference>;
const Backward& backward();
ladder::MechanismPtr backward_mechanism();

}  // namespace attention::dot_product
