#pragma once

#include <cstdint>

#include "backward.hpp"
#include "multi_head.hpp"

/// The backward pass of multi-head attention: the chain rule through the four projections (Vaswani et al. 2017, section 3.2.2)
/// and chapter 2's backward pass in each head. Given dY = ∂L/∂output, with H the concatenated heads and one key head a head:
///
///     dH   = dY W_Oᵀ                              [n × heads · dim]
///     dW_O = Hᵀ dY                                [heads · dim × width]
///     dQ_h, dK_h, dV_h  from  dH_h                chapter 2
///     dW_Q[h] = Xᵀ dQ_h,  likewise dW_K, dW_V     [width × dim], summed over the batch
///     dX   = Σ_h dQ_h W_Q[h]ᵀ + dK_h W_K[h]ᵀ + dV_h W_V[h]ᵀ
namespace attention::multi_head {

/// What is given: forward's inputs, what it kept, and the gradient of its output.
struct BackwardProblem {
  Tensor<3> input;            ///< X [batch, n, width]
  Tensor<3> W_Q;              ///< [heads, width, dim]
  Tensor<3> W_K;              ///< likewise
  Tensor<3> W_V;              ///< likewise
  Tensor<3> W_O;              ///< [heads, dim, width]
  Tensor<3> output_gradient;  ///< dY [batch, n, width]
  /// Kept by forward: Q, K, V, outputs and lse of every head. Its output_gradient is room for dH.
  dot_product::BackwardProblem heads;

  Index batch() const { return tensor::extent(input, 0); }
  Index n() const { return tensor::extent(input, 1); }
  Index rows() const { return batch() * n(); }
  Index width() const { return tensor::extent(input, 2); }
  Index head_count() const { return tensor::extent(W_Q, 0); }
  Index dim() const { return tensor::extent(W_Q, 2); }
  Index columns() const { return head_count() * dim(); }  ///< of the concatenation
};

/// What is asked for: a gradient for each input, of its size.
template <class Real>
struct BackwardOutputOf {
  TensorOf<Real, 3> input;  ///< dX
  TensorOf<Real, 3> W_Q, W_K, W_V, W_O;
};
using BackwardOutput = BackwardOutputOf<float>;

/// The formula in float64, and how large its numbers became on the way: the error bounds follow from these. A "size" of a sum is
/// the larger of |sum| and the root of its terms' squares: independent errors of the terms move it in proportion.
struct BackwardReference : BackwardOutputOf<double> {
  double projection = 0;         ///< largest size of an entry of Q, K or V
  double query_norm = 0;         ///< largest |q|
  double key_norm = 0;           ///< largest |k|
  double value_norm = 0;         ///< largest |v|
  double query = 0;              ///< largest |entry of Q|
  double key = 0;                ///< … of K
  double value = 0;              ///< … of V
  double head = 0;               ///< … of H
  double head_norm = 0;          ///< largest |row of a head's output|
  double mean_key = 0;           ///< largest |entry of Σ_j P_ij k_j|
  double output_sums = 0;        ///< largest size of an entry of H
  double concentration = 0;      ///< largest sqrt(Σ_j P_ij²)
  double incoming = 0;           ///< largest size of an entry of dH
  double gradient = 0;           ///< largest |entry of dH|
  double gradient_norm = 0;      ///< largest |row of a head's dH|
  double row_gradients = 0;      ///< largest sqrt(Σ_j dS_ij²)
  double column_gradients = 0;   ///< largest sqrt(Σ_i dS_ij²)
  double column_weights = 0;     ///< largest sqrt(Σ_i P_ij²)
  double query_sums = 0;         ///< largest size of an entry of dQ
  double key_sums = 0;           ///< … of dK
  double value_sums = 0;         ///< … of dV
  double input_columns = 0;      ///< largest size of Σ_i X_iw, over the batch
  double output_columns = 0;     ///< largest size of Σ_i dY_iw, over the batch
  double weight_rows = 0;        ///< largest size of a row's sum of [W_Q | W_K | W_V]
  double input_sums = 0;         ///< largest size of an entry of dX, of one head's share
  double weight_sums = 0;        ///< … of dW_Q, dW_K or dW_V, of one sequence's share
  double output_weight_sums = 0; ///< … of dW_O
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const BackwardProblem& problem, BackwardOutput& output);

/// The oracle: the formula in float64. It takes nothing from forward.
BackwardReference backward_reference(const BackwardProblem& problem);

/// Input and weights as `make` of multi_head.hpp has them, of each hardness, and normal output gradients; forward is run.
BackwardProblem make_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Fills in `heads` but for its output_gradient, which gets its size.
void run_forward(BackwardProblem& problem, bool causal);

/// Multiply-adds of the eight products with X, dY and the weights, and chapter 2's cost of every head.
ladder::Cost cost(const BackwardProblem& problem);

using Backward = ladder::Mechanism<BackwardProblem, BackwardOutput, BackwardReference>;
const Backward& backward();

}  // namespace attention::multi_head
