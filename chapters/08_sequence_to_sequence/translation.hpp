#pragma once

#include <map>

#include "decoding.hpp"
#include "loaders/verses.hpp"
#include "loaders/vocabulary.hpp"

/// Translation: the words of a verse in one language become those of another.
namespace attention::sequence_to_sequence {

class WordTable;

/// The verses of training as pairs of symbols, with the words that have a number. A vocabulary's numbers are symbols as they stand.
struct Translation {
  datasets::Vocabulary source, target;
  std::vector<Pair> training;
};

/// Words that stand in training at least `least` times have a number of their own; all others are `unknown`.
Translation prepare_translation(const datasets::VersePairs& verses, std::size_t least);

/// Verses that are read: training takes all of them, and of validation and test those short ones count whose length the second gives.
inline constexpr datasets::VerseOptions read_verses{.most_source_words = 20, .most_target_words = 24};
inline constexpr datasets::VerseOptions short_verses{.most_source_words = 12, .most_target_words = 14};

/// The verses of one part; of validation and test the short ones.
std::vector<const datasets::VersePair*> verses_of(const datasets::VersePairs& verses, datasets::Part part);

/// The answers to these verses, and an answer's words.
std::vector<Answer> translate(const EncoderDecoder<float>& model, const Translation& translation, const std::vector<const datasets::VersePair*>& verses,
                              const Search& search = {});
std::vector<std::string> words_of(const Answer& answer, const datasets::Vocabulary& vocabulary);
/// The same where an answer may hold unknown marks: each becomes what `table` has for the word of `source` that was looked at most, or that word itself (Luong, Pham,
/// Manning 2015, section 4.1). Only attention can tell.
std::vector<std::string> words_of(const Answer& answer, const datasets::Vocabulary& vocabulary, const std::vector<std::string>& source, const WordTable& table);

/// BLEU and chrF of answers, given as words, to these verses.
struct Quality {
  double bleu = 0;
  double chrf = 0;
};
Quality quality_of(const std::vector<std::vector<std::string>>& answers, const std::vector<const datasets::VersePair*>& verses);

/// The simplest translator: every word by the target's word that it stands together with most closely in training, in the source's order. Closeness is
/// Dice's coefficient, 2 · together / (alone in source + alone in target), verses counted once (Dice 1945). A word that training has not is left out.
class WordTable {
 public:
  explicit WordTable(const std::vector<const datasets::VersePair*>& training);
  std::vector<std::string> translate(const std::vector<std::string>& words) const;

 private:
  std::map<std::string, std::string> best_;
};

/// How often the place that a target's word looks at most, while it is said (its true words before it given), is one that carries the same Strong's number.
struct AlignmentScore {
  std::size_t links = 0;     ///< that could be asked about
  std::size_t right = 0;     ///< the largest weight is within the link
  std::size_t diagonal = 0;  ///< the place at the same share of the verse's length is within the link
  double precision() const { return links == 0 ? 0 : static_cast<double>(right) / static_cast<double>(links); }
  double diagonal_precision() const { return links == 0 ? 0 : static_cast<double>(diagonal) / static_cast<double>(links); }
};
/// For a model with attention. A link whose target is several words asks about each of them.
AlignmentScore alignment_of(const EncoderDecoder<float>& model, const Translation& translation, const std::vector<const datasets::VersePair*>& verses);

/// What is looked at while a target is said word by word: a row for each of its words and the end mark, a weight for each of the source's and its end mark.
std::vector<std::vector<float>> forced_weights(const EncoderDecoder<float>& model, const Symbols& source, const Symbols& target);

}  // namespace attention::sequence_to_sequence
