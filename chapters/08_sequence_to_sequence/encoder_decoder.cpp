#include "encoder_decoder.hpp"

#include <cmath>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/softmax.hpp"

namespace attention::sequence_to_sequence {

Json to_json(const Sizes& s) {
  Json all{{"source_symbols", s.source_symbols}, {"target_symbols", s.target_symbols}, {"embedding", s.embedding}, {"encoder", s.encoder},
           {"decoder", s.decoder}, {"units", s.units}, {"window", s.window}, {"dropout", s.dropout}, {"attention", name_of(s.kind)}};
  // Only where it is so: weights that were made before models could be tied stay valid.
  if (s.tied) all["tied"] = true;
  return all;
}

template <class Real>
EncoderDecoder<Real>::EncoderDecoder(const Sizes& s, std::uint64_t seed) : sizes_(s) {
  numerics::Random random(seed);
  const Index width = 2 * s.encoder;
  source_embedding_ = autograd::Embedding<Real>(s.source_symbols, s.embedding, 0.3, random);
  // Rows that give scores begin with length 1: larger ones would make the first guesses sure of themselves.
  target_embedding_ = autograd::Embedding<Real>(s.target_symbols, s.embedding, s.tied ? 1 / std::sqrt(static_cast<double>(s.embedding)) : 0.3, random);
  forward_ = autograd::Gru<Real>(s.embedding, s.encoder, random);
  backward_ = autograd::Gru<Real>(s.embedding, s.encoder, random);
  decoder_ = autograd::Gru<Real>(looks_first() ? s.embedding + width : s.embedding, s.decoder, random);
  attention_ = Attention<Real>(s.kind, s.decoder, width, s.units, s.window, random);
  first_state_ = Linear<Real>(width, s.decoder, random);
  combine_ = Linear<Real>(s.decoder + width, s.tied ? s.embedding : s.decoder, random);
  if (s.tied)
    output_bias_ = autograd::constant_parameter<Real>({size(s.target_symbols)}, 0);
  else
    output_ = Linear<Real>(s.decoder, s.target_symbols, random);
}

template <class Real>
ParameterList<Real> EncoderDecoder<Real>::parameters() {
  ParameterList<Real> list;
  source_embedding_.collect("source_embedding", list);
  target_embedding_.collect("target_embedding", list);
  forward_.collect("encoder.forward", list);
  backward_.collect("encoder.backward", list);
  first_state_.collect("first_state", list);
  decoder_.collect("decoder", list);
  attention_.collect("attention", list);
  combine_.collect("combine", list);
  if (sizes_.tied)
    list.push_back({"output.bias", &output_bias_});
  else
    output_.collect("output", list);
  return list;
}

template <class Real>
Variable<Real> EncoderDecoder<Real>::drop(const Variable<Real>& x) const {
  return sizes_.dropout > 0 ? autograd::dropout(x, sizes_.dropout) : x;
}

template <class Real>
Variable<Real> EncoderDecoder<Real>::embedded(const autograd::Embedding<Real>& embedding, Tape<Real>& tape, const Padded& symbols) const {
  return drop(autograd::reshape(embedding(tape, symbols.symbols), {size(symbols.time), size(symbols.batch), size(sizes_.embedding)}));
}

template <class Real>
typename EncoderDecoder<Real>::Read EncoderDecoder<Real>::read(Tape<Real>& tape, const Padded& source) const {
  const auto unrolled = autograd::both_directions(forward_, backward_, embedded(source_embedding_, tape, source), source.lengths);
  return {attention_.prepare(unrolled.outputs, source.lengths), unrolled.last, autograd::tanh(first_state_(unrolled.last))};
}

template <class Real>
Variable<Real> EncoderDecoder<Real>::scores(const Variable<Real>& states, const Variable<Real>& contexts) const {
  const Variable<Real> features = drop(autograd::tanh(combine_(autograd::concatenate(std::vector{states, contexts}, -1))));
  if (!sizes_.tied) return output_(features);
  Tape<Real>& tape = features.tape();
  return autograd::matmul(features, tape.parameter(target_embedding_.table), autograd::Right::transposed) + tape.parameter(output_bias_);
}

template <class Real>
typename EncoderDecoder<Real>::Looked EncoderDecoder<Real>::look_and_step(const Read& read, const Variable<Real>& state, const Variable<Real>& previous) const {
  const std::size_t batch = size(state.extent(0));
  Looked looked;
  looked.context = read.summary;
  if (sizes_.kind != Kind::none) {
    const Attended<Real> attended = attention_(read.memory, autograd::reshape(state, {batch, 1, size(sizes_.decoder)}), 0);
    looked.context = autograd::reshape(attended.contexts, {batch, size(2 * sizes_.encoder)});
    looked.weights = attended.weights;
  }
  const Variable<Real> given = autograd::concatenate(std::vector{previous, looked.context}, -1);
  looked.state = decoder_.step(decoder_.project(given), 0, state);
  return looked;
}

template <class Real>
typename EncoderDecoder<Real>::Step EncoderDecoder<Real>::step(const Read& read, const Variable<Real>& state, const std::vector<Index>& previous, Index number) const {
  Tape<Real>& tape = state.tape();
  const Variable<Real> given = drop(target_embedding_(tape, previous));
  if (looks_first()) {
    const Looked looked = look_and_step(read, state, given);
    return {looked.state, scores(looked.state, looked.context), looked.weights};
  }
  const std::size_t batch = size(state.extent(0));
  const Variable<Real> next = decoder_.step(decoder_.project(given), 0, state);
  const Attended<Real> attended = attention_(read.memory, autograd::reshape(next, {batch, 1, size(sizes_.decoder)}), number);
  return {next, scores(next, autograd::reshape(attended.contexts, {batch, size(2 * sizes_.encoder)})), attended.weights};
}

template <class Real>
Variable<Real> EncoderDecoder<Real>::loss(Tape<Real>& tape, const std::vector<const Pair*>& pairs, double divisor) const {
  std::vector<const Symbols*> sources, targets;
  for (const Pair* pair : pairs) {
    sources.push_back(&pair->source);
    targets.push_back(&pair->target);
  }
  const Padded target = closed(targets);
  const Read source = read(tape, closed(sources));
  const Variable<Real> given = embedded(target_embedding_, tape, shifted(target));
  Variable<Real> states, contexts;
  if (looks_first()) {
    std::vector<Variable<Real>> all_states, all_contexts;
    Variable<Real> state = source.state;
    for (Index t = 0; t < target.time; ++t) {
      const Variable<Real> previous = autograd::reshape(autograd::slice(given, 0, t, t + 1), {size(target.batch), size(sizes_.embedding)});
      const Looked looked = look_and_step(source, state, previous);
      state = looked.state;
      all_states.push_back(state);
      all_contexts.push_back(looked.context);
    }
    states = autograd::stack(all_states);
    contexts = autograd::stack(all_contexts);
  } else {
    states = decoder_(given, {}, autograd::Direction::forward, source.state).outputs;
    contexts = autograd::permute(attention_(source.memory, autograd::permute(states, {1, 0, 2}), 0).contexts, {1, 0, 2});
  }
  std::vector<Index> wanted = target.symbols;
  for (Index t = 0; t < target.time; ++t)
    for (Index b = 0; b < target.batch; ++b)
      if (t >= target.lengths[size(b)]) wanted[size(t * target.batch + b)] = autograd::ignored;
  return autograd::cross_entropy(scores(states, contexts), wanted, divisor);
}

template class EncoderDecoder<float>;
template class EncoderDecoder<double>;

}  // namespace attention::sequence_to_sequence
