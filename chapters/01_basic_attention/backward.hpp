#pragma once

#include <cstdint>

#include "additive.hpp"

/// The backward pass of additive attention. Some loss L depends on the output; given dO = ∂L/∂output, what are the gradients of
/// everything that went in? With t_ijh = tanh((W q_i)_h + (U k_j)_h), by the chain rule:
///
///     P_ij  = exp(score_ij − lse_i)                    recomputed: lse is all that forward kept of the weights
///     dP    = dO valueᵀ                                [queries × keys]
///     dS    = P ∘ (dP − D),  D_i = dO_i · output_i     [queries × keys]
///     da_ih = v_h Σ_j dS_ij (1 − t²_ijh)               of W q_i: [queries × hidden]
///     db_jh = v_h Σ_i dS_ij (1 − t²_ijh)               of U k_j: [keys × hidden]
///     dv_h  = Σ_ij dS_ij t_ijh
///     dvalue = Pᵀ dO
///     dquery = da W,  dW = daᵀ query,  dkey = db U,  dU = dbᵀ key
namespace attention::additive {

/// What is given: forward's inputs, its two outputs, and the gradient of the output.
struct BackwardProblem {
  Problem inputs;
  Tensor<2> output;           ///< [queries, value_dim]
  Tensor<1> lse;              ///< [queries], natural logarithm
  Tensor<2> output_gradient;  ///< dO: [queries, value_dim]
};

/// What is asked for: a gradient of the shape of each input.
template <class Real>
struct BackwardOutputOf {
  TensorOf<Real, 2> query_gradient;
  TensorOf<Real, 2> key_gradient;
  TensorOf<Real, 2> value_gradient;
  TensorOf<Real, 2> W_gradient;
  TensorOf<Real, 2> U_gradient;
  TensorOf<Real, 1> v_gradient;
};
using BackwardOutput = BackwardOutputOf<float>;

/// The formula in float64, and how large its sums became: the error bounds follow from these (backward_ladder.cpp).
struct BackwardReference : BackwardOutputOf<double> {
  Reference forward;
  double lse = 0;                ///< largest |lse_i|
  double projection_sums = 0;    ///< largest Σ_c |W_hc q_ic| plus largest Σ_c |U_hc k_jc|
  double output_sums = 0;        ///< largest |dO_i| |output_i|, Euclidean lengths as all of these
  double weight_gradients = 0;   ///< largest |dO_i| · largest |value_j|
  double gradient_length = 0;    ///< largest |dO_i|
  double row_weights = 0;        ///< largest sqrt(Σ_j P_ij²)
  double column_weights = 0;     ///< largest sqrt(Σ_i P_ij²)
  double all_weights = 0;        ///< sqrt(Σ_ij P_ij²)
  double row_gradients = 0;      ///< largest sqrt(Σ_j dS_ij²)
  double column_gradients = 0;   ///< largest sqrt(Σ_i dS_ij²)
  double all_gradients = 0;      ///< sqrt(Σ_ij dS_ij²)
  double row_sum = 0;            ///< largest Σ_j |dS_ij|
  double column_sum = 0;         ///< largest Σ_i |dS_ij|
  double all_row_sums = 0;       ///< sqrt(Σ_i (Σ_j |dS_ij|)²)
  double all_column_sums = 0;    ///< sqrt(Σ_j (Σ_i |dS_ij|)²)
  double query_sums = 0;         ///< largest |partial sum| of da, looked at after every 64 terms
  double key_sums = 0;           ///< … of db
  double v_sums = 0;             ///< … of Σ dS t and of Σ dS together
  double value_sums = 0;         ///< … of dvalue
};

/// The sizes of the gradients for `problem`. Storage that fits already is kept.
void prepare(const BackwardProblem& problem, BackwardOutput& output);

/// The oracle: the formula in float64. It takes nothing from forward: weights and output are its own, so that a wrong output or
/// lse shows in the gradients.
BackwardReference backward_reference(const BackwardProblem& problem);

/// A problem as `make` of additive.hpp has it, of each hardness, and normal output gradients. Output and lse are those of the
/// rung "fused".
BackwardProblem make_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Fills in output and lse, the rest being there.
void run_forward(BackwardProblem& problem);

/// The cheapest way known, that of the rung "factorised": the scores again, and for each pair and hidden unit a quotient of its
/// own and three sums.
ladder::Cost cost(const BackwardProblem& problem);

/// The mechanism with its ladder.
using Backward = ladder::Mechanism<BackwardProblem, BackwardOutput, BackwardReference>;
const Backward& backward();
ladder::MechanismPtr backward_mechanism();

}  // namespace attention::additive
