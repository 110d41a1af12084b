#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "loaders/gloss_classes.hpp"
#include "loaders/vocabulary.hpp"
#include "sentence_encoder.hpp"
#include "text_classifier.hpp"

namespace attention::recurrent_attention {

/// What is given with a word before anything is learnt: vectors of 256 numbers.
///
/// From the sentence encoder of chapter 3, which others trained on other text: the mean of the vectors of the word's pieces, as the encoder's
/// first layer is given them. So a word that no training gloss holds has a vector too, and words alike have vectors alike. Where the encoder
/// is not there, a random vector for each word, seeded by the word: a stand-in, which knows nothing.
class WordVectors {
 public:
  static constexpr Index width = 256;
  /// Of each vector: an LSTM's weights are drawn for inputs of about this size, and it learns slowly from smaller ones.
  static constexpr double length = 6;

  /// From data_folder/sentence_encoder. Throws UserError where it is damaged.
  explicit WordVectors(const std::filesystem::path& data_folder);
  /// Whether they are the encoder's.
  bool real() const { return encoder_ != nullptr; }
  /// Of that length, or 0 for a word of no pieces. Throws UserError for text that is not UTF-8.
  std::vector<float> of(const std::string& word) const;

 private:
  std::unique_ptr<multi_head::SentenceEncoder> encoder_;
};

/// Numbers for words. Those of the training glosses come first, by falling count, so that the frequent ones are below any bound: they have
/// numbers to learn. All others are known by their given vectors alone.
class Lexicon {
 public:
  /// Of the training words.
  Lexicon(const datasets::GlossClasses& glosses, std::shared_ptr<const WordVectors> given);

  /// The words' numbers; words that are new get some.
  std::vector<Index> numbers(std::span<const std::string> words);
  std::size_t size() const { return words_.size(); }
  const std::string& word(Index number) const { return words_[static_cast<std::size_t>(number)]; }
  /// The given vector: WordVectors::width numbers.
  const float* vector(Index number) const { return vectors_.data() + number * WordVectors::width; }
  /// Whether a training gloss holds the word.
  bool in_training(Index number) const { return number >= datasets::Vocabulary::first_word && number < training_words_; }

 private:
  void add(const std::string& word);

  std::shared_ptr<const WordVectors> given_;  ///< for words to come
  std::vector<std::string> words_;
  std::map<std::string, Index, std::less<>> numbers_;
  std::vector<float> vectors_;
  Index training_words_ = 0;
};

/// Texts by their words' numbers, side by side. A number from `sizes.words` on is `unknown` for the learnt table and keeps its given
/// vector.
Batch<float> batch_of(std::span<const std::vector<Index>* const> texts, const Lexicon& lexicon, const Sizes& sizes);

}  // namespace attention::recurrent_attention
