#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dot_product.hpp"
#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

/// Multi-head attention (Vaswani et al. 2017, section 3.2.2), on one sequence X:
///
///     Q_h = X W_Q[h],  K_g = X W_K[g],  V_g = X W_V[g]            [n × dim], g = h · key_heads / heads
///     head_h = softmax(Q_h K_gᵀ / sqrt(dim)) V_g                  [n × dim], chapter 2; where causal, over keys j ≤ i
///     output = Concat(head_0 … head_{heads−1}) W_O = Σ_h head_h W_O[h]   [n × width]
///
/// With key_heads = heads this is the paper's; with fewer, groups of heads share keys and values (grouped-query attention,
/// Ainslie et al. 2023), with one it is multi-query attention (Shazeer 2019).
namespace attention::multi_head {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// What is given. key_heads divides heads.
struct Problem {
  Tensor<3> input;  ///< X [batch, n, width]
  Tensor<3> W_Q;    ///< [heads, width, dim]
  Tensor<3> W_K;    ///< [key_heads, width, dim]
  Tensor<3> W_V;    ///< [key_heads, width, dim]
  Tensor<3> W_O;    ///< [heads, dim, width]
  bool causal = false;  ///< no row sees a later one
  /// In a sample: the rows of X whose output is asked for, ascending. A sample projects these alone and takes the keys and values
  /// of all rows from below, so that its work is its share of the whole work. Empty: all rows.
  std::vector<Index> rows;
  Tensor<4> key;    ///< [batch, key_heads, n, dim]
  Tensor<4> value;  ///< likewise

  Index batch() const { return tensor::extent(input, 0); }
  Index n() const { return tensor::extent(input, 1); }
  Index width() const { return tensor::extent(input, 2); }
  Index heads() const { return tensor::extent(W_Q, 0); }
  Index key_heads() const { return tensor::extent(W_K, 0); }
  Index dim() const { return tensor::extent(W_Q, 2); }
  bool sampled() const { return !rows.empty(); }
  Index queries() const { return rows.empty() ? n() : static_cast<Index>(rows.size()); }
  Index row(Index i) const { return rows.empty() ? i : rows[static_cast<std::size_t>(i)]; }
  dot_product::Mask mask() const { return causal ? dot_product::Mask::causal() : dot_product::Mask::full(); }
  /// The keys that the i-th row asked sees.
  dot_product::KeyRange keys_of(Index i) const { return mask().keys_of(row(i), n()); }
  const float* input_of(Index b) const { return input.data() + b * n() * width(); }
};

template <class Real>
struct OutputOf {
  TensorOf<Real, 3> output;  ///< [batch, queries, width]
};
using Output = OutputOf<float>;

/// The formula in float64, and how large its numbers became on the way: the error bound follows from these.
struct Reference : OutputOf<double> {
  double projection = 0;     ///< largest root of the sum of the squared terms (or |sum|) of an entry of Q, K or V
  double query_norm = 0;     ///< largest |q|, scaled by 1/sqrt(dim)
  double key_norm = 0;       ///< largest |k|, scaled likewise
  double score = 0;          ///< largest root of the sum of the squared terms (or |sum|) of a scaled score
  double concentration = 0;  ///< largest sqrt(Σ_j weights_j²) of a row
  double value = 0;          ///< largest |entry of V|
  double head = 0;           ///< largest |entry of a head's output|
  double column_norm = 0;    ///< largest norm of a column of W_O, all heads together
  double sum = 0;            ///< largest root of the sum of the squared terms (or |sum|) of an output
};

/// The size of the output for `problem`. Storage that fits already is kept.
void prepare(const Problem& problem, Output& output);

/// Throws UserError, with `name` and both shapes, where `tensor` from a file is not [a, b, c].
void expect_sizes(const char* name, const Tensor<3>& tensor, Index a, Index b, Index c);

/// The oracle: the formula in float64.
Reference reference(const Problem& problem);

/// Input with entries of variance 1, weights that keep it. Hard ones: large scores (W_Q × 50), equal rows of X, a last row
/// thirty times as large, tiny values and signed zeros.
Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same problem, asked for these rows only.
Problem take_rows(const Problem& problem, std::span<const Index> rows);

/// Multiply-adds of the projections, of both products of every head, and of the output projection.
ladder::Cost cost(const Problem& problem);

using MultiHead = ladder::Mechanism<Problem, Output, Reference>;
/// Headline shape: as many key heads as heads.
const MultiHead& mechanism();
/// The same ladder on shapes whose heads share keys and values.
const MultiHead& grouped_mechanism();

/// For the registry: all mechanisms of this chapter.
std::vector<ladder::MechanismPtr> mechanisms();

}  // namespace attention::multi_head
