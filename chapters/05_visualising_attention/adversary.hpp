#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.hpp"

/// Other weights with the same answer: S. Jain and B. Wallace, "Attention is not Explanation", 2019,
/// section 4.2.2.
namespace attention::visualising {

/// How a classifier that pools by attention answers, given the states of one text: softmax(Wᵀ tanh(Σ α_t h_t)
/// + b), see record::EvidenceRecord.
struct PooledText {
  std::span<const float> states;  ///< [words, d]
  std::span<const float> output;  ///< [d + 1, classes]: W, and b in the last row
  std::size_t words = 0, classes = 0;
  std::size_t width() const { return states.size() / words; }

  /// The classes' shares under `weights`, one a word.
  std::vector<double> answer(std::span<const double> weights) const;
  /// The gradient with respect to the weights of Σ_c of_answer[c] · answer[c].
  std::vector<double> gradient(std::span<const double> weights, std::span<const double> of_answer) const;
};

struct AdversarySettings {
  double epsilon = 0.01;  ///< the largest total variation of the answer that counts as the same (ibid.: 0.01)
  int steps = 200;        ///< of Adam, for each start
  int starts = 3;         ///< equal weights, then random ones
  double rate = 0.2;      ///< of Adam, on the logarithms of the weights
  double penalty = 20;    ///< of a total variation above epsilon, per unit
};

struct Adversary {
  std::vector<double> weights;  ///< the given ones, where nothing better was found
  double divergence = 0;        ///< Jensen–Shannon, bits, from the given weights: 0 to 1
  double variation = 0;         ///< total variation of the answer, at most epsilon
};

/// The weights farthest from `attention` whose answer is the same within epsilon, as gradient ascent finds
/// them: the same for the same seed. A text of one word has one weighting. Throws program::UserError for
/// weights that are not numbers, std::invalid_argument where sizes do not agree.
Adversary find_adversary(const PooledText& text, std::span<const float> attention,
                         const AdversarySettings& settings, std::uint64_t seed);

}  // namespace attention::visualising
