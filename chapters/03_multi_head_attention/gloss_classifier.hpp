#pragma once

#include <string>
#include <vector>

#include "autograd/layers.hpp"
#include "program/json.hpp"

/// A small transformer that tells the class of a noun from its gloss: what the number of heads does to accuracy can only be seen in a
/// model that was trained with it.
namespace attention::multi_head {

using autograd::Tape;
using autograd::Variable;
using tensor::Index;

/// Sizes that are the same for every number of heads.
struct GlossSizes {
  Index words = 0;     ///< with numbers of their own; number 0 is padding
  Index width = 64;    ///< of a token; a head has width / heads of it
  Index inner = 128;   ///< of the feed-forward part
  Index classes = 10;
  double dropout = 0.3;  ///< of the tokens and of the text's vector
};

/// Texts side by side, each a list of words' numbers, at least one.
using Texts = std::vector<const std::vector<Index>*>;

/// One pre-norm encoder layer over the words, their mean, a linear layer. There are no positions: the words are a set, which is
/// enough to tell a topic.
template <class Real>
struct GlossClassifier {
  GlossSizes sizes;
  Index heads = 1;
  std::vector<Real> gates;  ///< [heads]: 1, or 0 for a head that is taken out after training
  autograd::Embedding<Real> embedding;
  autograd::LayerNorm<Real> before_attention, before_inner;
  autograd::Linear<Real> query, key, value, output;  ///< [width, width]: W_Q, W_K, W_V of all heads side by side, and W_O
  autograd::Linear<Real> inner, outer, classes;

  GlossClassifier() = default;
  /// With random weights. Throws std::invalid_argument where the heads do not divide the width.
  GlossClassifier(const GlossSizes& sizes, Index heads, std::uint64_t seed);

  /// Scores of the classes, [texts, classes].
  Variable<Real> operator()(Tape<Real>& tape, const Texts& texts) const;
  autograd::ParameterList<Real> parameters();
  Json configuration() const;
};

extern template struct GlossClassifier<float>;
extern template struct GlossClassifier<double>;

}  // namespace attention::multi_head
