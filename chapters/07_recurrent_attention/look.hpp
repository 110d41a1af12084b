#pragma once

#include <filesystem>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "trained.hpp"

namespace attention::recurrent_attention {

/// What a classifier makes of one text.
struct Reading {
  std::vector<float> shares;   ///< of each class, sum 1
  std::vector<float> weights;  ///< of each word; empty for Pooling::last_state
  std::size_t best() const;    ///< the first class with the largest share
};
/// Throws std::invalid_argument for a text of no words.
Reading read(const TextClassifier<float>& model, const std::vector<Index>& words, const Lexicon& lexicon);

/// Reads each text with each classifier: class, shares and the words by weight on `out`; in results/07_recurrent_attention/text the
/// file texts.json and, of attention, the records text_1, text_2, … What an earlier call wrote there goes. Throws UserError where a text has no
/// word, is not UTF-8, or nothing is trained.
void look_at_texts(std::span<const std::string> texts, Corpus& corpus, std::span<const TrainedClassifier> classifiers,
                   const std::filesystem::path& results, std::ostream& out);

/// The lines of text of the command line; "-" stands for those of `input`, one a line, empty ones left out. Throws UserError where there are
/// none, or more than most_texts.
inline constexpr std::size_t most_texts = 1000;
std::vector<std::string> texts_from(std::span<const std::string> arguments, std::istream& input);

}  // namespace attention::recurrent_attention
