#pragma once

#include <string>
#include <vector>

#include "autograd/layers.hpp"
#include "autograd/recurrent.hpp"
#include "ladder/mechanism.hpp"
#include "program/json.hpp"

namespace attention::recurrent_attention {

using autograd::Tape;
using autograd::Variable;
using tensor::ArrayOf;
using tensor::Index;

/// How the states of a text, one a word, become one vector.
enum class Pooling {
  last_state,  ///< what each direction holds after its last word
  mean,        ///< all states, with equal weights
  attention,   ///< all states, with weights that are learnt (Zhou and others 2016, equations 9 to 11)
};
inline constexpr Pooling all_poolings[] = {Pooling::last_state, Pooling::mean, Pooling::attention};
/// "last_state", "mean_pooling", "attention".
std::string name_of(Pooling pooling);

/// Sizes of a classifier, and how much of it is dropped in training.
struct Sizes {
  Index given = 256;    ///< numbers of a word that are given with it and stay as they are; 0: none
  Index words = 4096;   ///< words that have numbers of their own, learnt here; number 0 is padding
  Index learnt = 32;    ///< how many numbers; 0: none
  Index hidden = 96;    ///< units of the LSTM, in each direction
  Index classes = 10;
  double input_dropout = 0.3;   ///< of the words' numbers
  double state_dropout = 0.3;   ///< of the states
  double pooled_dropout = 0.5;  ///< of the text's vector

  Json to_json() const;
};

/// Some texts side by side, the shorter ones padded.
template <class Real>
struct Batch {
  std::vector<Index> lengths;  ///< words of each text, 0 too
  std::vector<Index> words;    ///< [time, texts]: numbers below Sizes::words
  ArrayOf<Real> given;         ///< [time, texts, Sizes::given]
  Index texts() const { return static_cast<Index>(lengths.size()); }
  Index time() const { return lengths.empty() ? 0 : static_cast<Index>(words.size() / lengths.size()); }
};

/// What a classifier says about a batch.
template <class Real>
struct Answer {
  Variable<Real> scores;   ///< [texts, classes]
  Variable<Real> weights;  ///< [texts, time]: what each word's state counts for; not set for Pooling::last_state
  Variable<Real> states;   ///< [time, texts, 2 · hidden]; not set for Pooling::last_state
};

/// A text's class from its words, read by an LSTM in both directions: P. Zhou and others, "Attention-Based Bidirectional Long
/// Short-Term Memory Networks for Relation Classification", 2016. Here the two directions stand side by side in a state, where the paper
/// (equation 8) adds them.
template <class Real>
struct TextClassifier {
  Sizes sizes;
  Pooling pooling = Pooling::attention;
  autograd::Embedding<Real> embedding;   ///< [words, learnt]
  autograd::Lstm<Real> forward, backward;
  autograd::Parameter<Real> attention;   ///< w of equation 10, [2 · hidden, 1]; empty for other poolings
  autograd::Linear<Real> output;         ///< [2 · hidden, classes]

  TextClassifier() = default;
  /// With random weights. Those that all poolings share are the same for all of them.
  TextClassifier(const Sizes& sizes, Pooling pooling, std::uint64_t seed);

  /// Writes the whole on the tape. Throws std::invalid_argument where the batch's parts do not fit each other or the sizes.
  /// `scales` [time, texts, 1], where given, multiplies each word's numbers: the gradient with respect to a word's scale at 1 is the sum
  /// of gradient times input over its numbers.
  Answer<Real> operator()(Tape<Real>& tape, const Batch<Real>& batch, const Variable<Real>* scales = nullptr) const;
  autograd::ParameterList<Real> parameters();
};

/// For the registry: none.
std::vector<ladder::MechanismPtr> mechanisms();

extern template struct TextClassifier<float>;
extern template struct TextClassifier<double>;

}  // namespace attention::recurrent_attention
