#pragma once

#include "encoder_decoder.hpp"

namespace attention::sequence_to_sequence {

/// What a model says to a source.
struct Answer {
  Symbols symbols;             ///< without the end mark
  double log_probability = 0;  ///< of the whole, with the end mark
  /// What was looked at: for each symbol and the end mark a weight for each of the source's places, its end mark's the last. Empty for Kind::none.
  std::vector<std::vector<float>> weights;
};

/// How an answer is looked for.
struct Search {
  Index width = 1;          ///< hypotheses that are kept
  double length_power = 1;  ///< an answer's rank is log p / length^this, its length counted with the end mark; 0: log p itself
  Index most = 0;           ///< steps after which an answer is cut off; 0: twice the source's length and ten more
  bool unknown_too = false;  ///< an answer may hold the unknown mark; the caller finds a word for it
};

/// The most probable symbol at every step, whatever the search's width. Sources go through the model side by side.
std::vector<Answer> greedy(const EncoderDecoder<float>& model, const std::vector<const Symbols*>& sources, const Search& search = {});

/// Beam search (Sutskever, Vinyals, Le 2014, section 3.2): of all continuations of the kept beginnings the `width` most probable are kept; one that
/// ends leaves the beam. It is over when `width` have ended. With width 1 it is greedy().
std::vector<Answer> beam(const EncoderDecoder<float>& model, const std::vector<const Symbols*>& sources, const Search& search);

/// Answers to any number of sources, in their order: in batches of like length, on all threads. Width 1 is greedy().
std::vector<Answer> answers(const EncoderDecoder<float>& model, const std::vector<Symbols>& sources, const Search& search = {});

}  // namespace attention::sequence_to_sequence
