#pragma once

#include <cstdint>
#include <span>

#include "fused_attention.hpp"
#include "ladder/mechanism.hpp"
#include "positions.hpp"
#include "tensor/tensor.hpp"

/// Self-attention (Vaswani et al. 2017, section 3.2.3): one sequence X asks, is compared with, and answers.
///
///     Q = X W_Q,  K = X W_K,  V = X W_V                     [n × dim], for each head
///     scores_ij = Q_i · K_j / sqrt(dim) + bias_ij           for the keys j that the mask lets i see
///     output_i  = Σ_j softmax(scores_i)_j V_j
///
/// The heads' outputs stand side by side; the product with an output matrix, which mixes them, is left out.
namespace attention::self_attention {

using dot_product::KeyRange;
using dot_product::Mask;
using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// What is given. Any sizes of 1 and more.
struct Problem {
  Tensor<3> input;         ///< X: [batch, n, width]
  Tensor<3> query_weight;  ///< W_Q of all heads: [width, heads, dim]
  Tensor<3> key_weight;    ///< W_K: [width, heads, dim]
  Tensor<3> value_weight;  ///< W_V: [width, heads, dim]
  Positions positions = Positions::none;
  Tensor<2> position_table;  ///< [rows, width], only where positions are learned: a row for each position
  Index first_position = 0;  ///< where in its text the first token stands; positions count from there
  Mask mask;               ///< a masked key has no effect, whatever it holds; a row that sees no key becomes 0

  /// In a sample: the positions whose output is asked, ascending. A sample projects these only and takes the keys and values
  /// of the whole sequence from below, so that its work is its share of the whole work. Empty: all positions.
  std::vector<Index> asked;
  Tensor<4> key;           ///< [batch, n, heads, dim], rotated where positions are rotary
  Tensor<4> value;         ///< [batch, n, heads, dim]

  Index batch() const { return tensor::extent(input, 0); }
  Index n() const { return tensor::extent(input, 1); }
  Index width() const { return tensor::extent(input, 2); }
  Index heads() const { return tensor::extent(query_weight, 1); }
  Index dim() const { return tensor::extent(query_weight, 2); }
  bool sampled() const { return !asked.empty(); }
  /// Number of positions asked, and where the one in this place stands.
  Index queries() const { return sampled() ? static_cast<Index>(asked.size()) : n(); }
  Index position(Index query) const { return sampled() ? asked[static_cast<std::size_t>(query)] : query; }
  /// The keys that a query sees.
  KeyRange keys_of(Index query) const { return mask.keys_of(position(query), n()); }
  /// The most keys that any position sees.
  Index span() const;
  /// The factor on Q Kᵀ: 1/sqrt(dim).
  double scale() const;
};

/// What is asked for.
template <class Real>
struct OutputOf {
  TensorOf<Real, 4> output;   ///< [batch, queries, heads, dim]
  TensorOf<Real, 3> lse;      ///< [batch, heads, queries]: log of the sum of exp(scores) over the keys seen; −inf without any
  /// [batch, heads, queries, span] where the rung stores them, else empty: a row begins with the first key that the query
  /// sees, and ends with zeros where it sees fewer than span.
  TensorOf<Real, 4> weights;
  TensorOf<Real, 4> spare_weights = {};  ///< memory for them while they are not stored

  Index batch() const { return tensor::extent(output, 0); }
  Index queries() const { return tensor::extent(output, 1); }
  Index heads() const { return tensor::extent(output, 2); }
  Index dim() const { return tensor::extent(output, 3); }
  Index span() const { return tensor::extent(weights, 3); }

  Real* output_of(Index b, Index h, Index query) { return output.data() + ((b * queries() + query) * heads() + h) * dim(); }
  Real* lse_of(Index b, Index h) { return lse.data() + (b * heads() + h) * queries(); }
  Real* weights_of(Index b, Index h, Index query) {
    return weights.data() + ((b * heads() + h) * queries() + query) * span();
  }
};
using Output = OutputOf<float>;

/// The formula in float64, and how large its sums became on their way (each at least the root of its terms' squares): the
/// error bounds follow from these.
struct Reference : OutputOf<double> {
  double query_sums = 0;     ///< largest |partial sum| of X W_Q
  double key_sums = 0;       ///< … of X W_K
  double value_sums = 0;     ///< … of X W_V
  double query_length = 0;   ///< largest length of a query
  double key_length = 0;     ///< … of a key
  double largest_value = 0;  ///< largest |V|
  double score_sums = 0;     ///< largest |partial sum| of q · k, times scale
  double output_sums = 0;    ///< largest |partial sum| of weights · V
  double concentration = 0;  ///< largest sqrt(Σ_j weights_j²) of a row
  double weighted_bias = 0;  ///< largest Σ_j weights_j |bias_j| of a row
};

/// What positions add to the token at place `i` of the sequence: `width` numbers to `to`, zeros where they add nothing.
void position_encoding(const Problem& problem, Index i, double* to);
/// Whether they add something to X at all.
bool adds_encoding(const Problem& problem);
/// Throws UserError where positions are learned and the table has no row for the last token, or rows of another width.
void check_positions(const Problem& problem);

/// The size of the output for `problem`; `weights` only where they are stored. Storage that fits already is kept.
void prepare(const Problem& problem, Output& output, bool store_weights);

/// The oracle: the formula in float64, plain loops, in parallel over the rows.
Reference reference(const Problem& problem);

/// The three mechanisms differ in the mask alone.
enum class Kind {
  full,    ///< every position sees all
  causal,  ///< position i sees 0 … i
  window,  ///< position i sees itself and the window − 1 before it (Beltagy et al. 2020, section 3.1, on the causal side)
};

/// A problem whose input has entries of variance 1, and weights of variance 1/width, so that Q, K and V have variance 1 too.
/// A table of positions has n rows, random ones of variance 1/2 as sinusoidal encodings have: nothing is learned here.
/// Hard ones: large scores (W_Q × 50), equal tokens, one outlier at the end, signed zeros and tiny values in W_Q.
/// Throws UserError for a kind of positions that does not exist.
Problem make(Kind kind, const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Positions are sampled in runs of this many neighbours: blocked rungs need some. Only where n is a multiple of it.
inline constexpr Index run_length = 4;

/// The same sequence, only these runs of positions asked.
Problem take_runs(const Problem& problem, std::span<const Index> runs);

/// Multiply-adds of the projections and of the two products over visible pairs, inputs and output once, one exponential a
/// visible pair.
ladder::Cost cost(const Problem& problem);

/// The mechanism with its ladder; each kind has one of its own.
using SelfAttention = ladder::Mechanism<Problem, Output, Reference>;
const SelfAttention& mechanism(Kind kind);

/// For the registry: all mechanisms of this chapter.
std::vector<ladder::MechanismPtr> mechanisms();

}  // namespace attention::self_attention
