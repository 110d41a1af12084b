#pragma once

#include <cstdint>
#include <vector>

#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

/// Causal linear attention (Katharopoulos et al. 2020, "Transformers are RNNs", equations 5 to 12). The exponential of the score
/// becomes a product of features,
///
///     φ(x) = elu(x) + 1 = x + 1 for x > 0, else exp(x)                     (equation 7)
///     output_i = Σ_{j ≤ i} (φ(q_i) · φ(k_j)) v_j / Σ_{j ≤ i} φ(q_i) · φ(k_j)      (equation 8)
///
/// and since φ(q_i) does not depend on j, it may be taken out of both sums (equations 9 to 12):
///
///     S_i = Σ_{j ≤ i} φ(k_j) v_jᵀ,   z_i = Σ_{j ≤ i} φ(k_j),   output_i = S_iᵀ φ(q_i) / (z_i · φ(q_i))
///
/// So the past is a matrix S of dim × value_dim and a vector z, however long it is.
///
/// A factor common to all of φ(q_i) cancels. Rungs use that where every entry of a query is negative: φ(q_i) is divided by its
/// largest entry, which exp alone could make 0. A sum of weights that is 0 all the same (every key seen below −87, beyond what
/// float32 holds) gives an output of 0.
namespace attention::self_attention {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// What is given. Any sizes of 1 and more. A later token has no effect on an earlier output, whatever it holds.
struct LinearProblem {
  Tensor<4> query;  ///< [batch, heads, n, dim]
  Tensor<4> key;    ///< [batch, heads, n, dim]
  Tensor<4> value;  ///< [batch, heads, n, value_dim]

  Index batch() const { return tensor::extent(query, 0); }
  Index heads() const { return tensor::extent(query, 1); }
  /// Heads of the whole batch: problems of their own.
  Index all_heads() const { return batch() * heads(); }
  Index n() const { return tensor::extent(query, 2); }
  Index dim() const { return tensor::extent(query, 3); }
  Index value_dim() const { return tensor::extent(value, 3); }
};

/// What is asked for. The rung that has no state leaves the last two empty.
template <class Real>
struct LinearOutputOf {
  TensorOf<Real, 4> output;      ///< [batch, heads, n, value_dim]
  TensorOf<Real, 4> state;       ///< S after the last token: [batch, heads, dim, value_dim]
  TensorOf<Real, 3> normalizer;  ///< z after the last token: [batch, heads, dim]
};
using LinearOutput = LinearOutputOf<float>;

/// The recurrence in float64, and what the error bounds follow from (linear_ladder.cpp), each for every row i of every head,
/// [all_heads * n]. D_i = z_i · φ(q_i).
struct LinearReference : LinearOutputOf<double> {
  std::vector<double> output_sums;    ///< Σ_c φ(q_c) · largest |partial sum of S_c up to i| / D_i, largest of all columns of V
  std::vector<double> concentration;  ///< at least sqrt(Σ_j w_ij²), where w_ij = φ(q_i) · φ(k_j) / D_i
  std::vector<double> query_terms;    ///< Σ_c φ(q_c) (4 + |q_c|) (|S_c| + |o_i| z_c) / D_i: what an error of φ(q_i) moves
  std::vector<double> largest_value;  ///< largest |v_j| of j ≤ i
  std::vector<double> largest_key;    ///< largest |k_j| of j ≤ i, of the negative entries: what exp multiplies its error by
  double state_sums = 0;              ///< largest |partial sum| of S
  double state_terms = 0;             ///< largest sqrt(Σ_j φ(k_jc)² v_j²) of S's entries
};

/// The sizes of the output for `problem`. Storage that fits already is kept.
void prepare(const LinearProblem& problem, LinearOutput& output, bool store_state);

/// The oracle: equations 9 to 12 in float64, a token at a time, in parallel over the heads.
LinearReference reference(const LinearProblem& problem);

/// Entries are normal with variance 1.
/// Hard ones: large queries (× 50), equal keys, a last key 30 times as large (its absolute value: a negative one would have no
/// weight), signed zeros and tiny values in queries and keys.
LinearProblem make_linear(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The recurrence's work: for every token 2 · dim · value_dim multiply-adds and 3 · dim operations on z; one exponential for
/// each entry of Q and K that is not positive; inputs and outputs once.
ladder::Cost cost(const LinearProblem& problem);

/// The mechanism with its ladder.
using LinearAttention = ladder::Mechanism<LinearProblem, LinearOutput, LinearReference>;
const LinearAttention& linear_attention();
ladder::MechanismPtr linear_mechanism();

}  // namespace attention::self_attention
