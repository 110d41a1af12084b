#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autograd/layers.hpp"

namespace attention::sequence_to_sequence {

using autograd::Linear;
using autograd::Parameter;
using autograd::ParameterList;
using autograd::Tape;
using autograd::Variable;
using tensor::ArrayOf;
using tensor::Index;
using tensor::Shape;

/// How a decoder looks at what the encoder has read. q is the decoder's state, k_j the encoder's annotation of place j:
///
///   none      not at all: it is given the encoder's last state at every step (Cho and others 2014)
///   additive  v · tanh(W q + U k_j), q the state before the step (Bahdanau, Cho, Bengio 2014, section A.1.2)
///   dot       q · k_j; here and below q is the state after the step (Luong, Pham, Manning 2015, equation 8)
///   general   q · W k_j
///   concat    v · tanh(W [q; k_j])
///   local_m   as general, over the places within `window` of place t at step t (the same, section 3.2, monotonic)
///   local_p   as general, over the places within `window` of a place p that the state predicts, times a Gaussian around p (eq. 9 and 10)
enum class Kind { none, additive, dot, general, concat, local_m, local_p };

inline constexpr Kind all_kinds[] = {Kind::none, Kind::additive, Kind::dot, Kind::general, Kind::concat, Kind::local_m, Kind::local_p};

/// "local_m"; and back. Throws std::invalid_argument where there is no such kind.
std::string name_of(Kind kind);
Kind kind_of(std::string_view name);

/// What a decoder may look at: the encoder's annotations, and what is computed of them once for all steps.
template <class Real>
struct Memory {
  Variable<Real> values;       ///< [batch, places, width]
  Variable<Real> keys;         ///< projected, as the kind needs them
  std::vector<Index> lengths;  ///< of the sequences, one for each of the batch
};

/// What it saw.
template <class Real>
struct Attended {
  Variable<Real> contexts;  ///< [batch, queries, width]: Σ_j weight_j · value_j
  Variable<Real> weights;   ///< [batch, queries, places]; a row sums to 1 (local_p: to 1 at most), 0 behind a sequence's end
};

template <class Real>
struct Attention {
  Kind kind = Kind::none;
  Index window = 0;               ///< D of the local kinds
  Linear<Real> of_query, of_key;  ///< W and U
  Parameter<Real> v;              ///< [units]
  Linear<Real> of_place;          ///< W_p of local_p
  Parameter<Real> place;          ///< v_p [units, 1]

  Attention() = default;
  /// For queries of `query_width` and annotations of `width`, with `units` inside tanh. Throws std::invalid_argument for dot where
  /// the two widths differ.
  Attention(Kind its_kind, Index query_width, Index width, Index units, Index its_window, numerics::Random& random);

  /// From annotations [places, batch, width].
  Memory<Real> prepare(const Variable<Real>& annotations, const std::vector<Index>& lengths) const;
  /// For queries [batch, queries, query_width], of which the first is that of step `first_step`.
  Attended<Real> operator()(const Memory<Real>& memory, const Variable<Real>& queries, Index first_step) const;
  void collect(const std::string& name, ParameterList<Real>& list);

 private:
  Variable<Real> predicted_places(const Memory<Real>& memory, const Variable<Real>& queries) const;
};

extern template struct Attention<float>;
extern template struct Attention<double>;

}  // namespace attention::sequence_to_sequence
