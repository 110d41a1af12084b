#pragma once

#include "attention.hpp"
#include "autograd/recurrent.hpp"
#include "batches.hpp"
#include "program/json.hpp"

namespace attention::sequence_to_sequence {

/// What a model is made of. With what is here and the weights it can be made again.
struct Sizes {
  Index source_symbols = 0, target_symbols = 0;
  Index embedding = 64;
  Index encoder = 128;    ///< units in each direction
  Index decoder = 256;
  Index units = 128;      ///< inside the tanh of a score
  Index window = 0;       ///< of local attention
  double dropout = 0;     ///< of what the encoder and the decoder are given, and of what the last layer is given
  bool tied = false;      ///< the scores of the target's symbols are products with their embeddings (Press and Wolf 2017)
  Kind kind = Kind::additive;
};

Json to_json(const Sizes& sizes);

/// A bidirectional GRU reads a sequence, a GRU with attention says another (Bahdanau, Cho, Bengio 2014; with Luong, Pham, Manning 2015 for
/// the other kinds of attention, without their input feeding).
///
///     k_j = [→h_j ; ←h_j]           annotations of the source's places
///     s_0 = tanh(W [→h_last ; ←h_first])
///     none, additive:    c_i = attend(s_{i−1}),  s_i = GRU(s_{i−1}, [y_{i−1} ; c_i])
///     Luong's kinds:     s_i = GRU(s_{i−1}, y_{i−1}),  c_i = attend(s_i)
///     p(y_i) = softmax(V tanh(C [s_i ; c_i]) + b)      tied: the rows of V are the embeddings of the target's symbols
///
/// Bahdanau's decoder needs c_i before it can step, so attention stands in the chain of steps. Luong's stands beside it: in training, when all y
/// are known, all states come first and all contexts in one product.
template <class Real>
class EncoderDecoder {
 public:
  EncoderDecoder(const Sizes& sizes, std::uint64_t seed);

  const Sizes& sizes() const { return sizes_; }
  ParameterList<Real> parameters();

  /// The source as it was read.
  struct Read {
    Memory<Real> memory;
    Variable<Real> summary;  ///< both last states, [batch, 2 · encoder]
    Variable<Real> state;    ///< the decoder's first, [batch, decoder]
  };
  Read read(Tape<Real>& tape, const Padded& source) const;

  /// One step of the decoder.
  struct Step {
    Variable<Real> state;    ///< [batch, decoder]
    Variable<Real> scores;   ///< of the target symbols, before the softmax, [batch, target_symbols]
    Variable<Real> weights;  ///< what was looked at, [batch, 1, places]; not set for Kind::none
  };
  Step step(const Read& read, const Variable<Real>& state, const std::vector<Index>& previous, Index number) const;

  /// −Σ log p(target) / `divisor`, each symbol given those before it (teacher forcing); `divisor` is the number of targets of the whole
  /// batch, of which these pairs may be a part.
  Variable<Real> loss(Tape<Real>& tape, const std::vector<const Pair*>& pairs, double divisor) const;

 private:
  bool looks_first() const { return sizes_.kind == Kind::none || sizes_.kind == Kind::additive; }
  Variable<Real> drop(const Variable<Real>& x) const;
  Variable<Real> embedded(const autograd::Embedding<Real>& embedding, Tape<Real>& tape, const Padded& symbols) const;
  Variable<Real> scores(const Variable<Real>& states, const Variable<Real>& contexts) const;
  /// What the decoder looks at from `state`, and the state after the step.
  struct Looked {
    Variable<Real> state, context, weights;
  };
  Looked look_and_step(const Read& read, const Variable<Real>& state, const Variable<Real>& previous) const;

  Sizes sizes_;
  autograd::Embedding<Real> source_embedding_, target_embedding_;
  autograd::Gru<Real> forward_, backward_, decoder_;
  Attention<Real> attention_;
  Linear<Real> first_state_, combine_;
  Linear<Real> output_;           ///< not tied
  Parameter<Real> output_bias_;   ///< tied
};

extern template class EncoderDecoder<float>;
extern template class EncoderDecoder<double>;

}  // namespace attention::sequence_to_sequence
