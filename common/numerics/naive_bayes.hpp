#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace attention::numerics {

/// Multinomial naive Bayes over bags of words, the plainest reader of text: how often each word stands in each class is all that
/// it knows. Its figure beside that of a network says what word order and context are worth.
/// Source: A. McCallum, K. Nigam, "A Comparison of Event Models for Naive Bayes Text Classification", 1998, eq. 4 to 6.
class NaiveBayes {
 public:
  /// `smoothing`: added to each count of a word in a class; 1 is Laplace's. Words are numbers from 0 to `words`. Throws
  /// std::invalid_argument where there is no class or no word, or smoothing is not above 0.
  NaiveBayes(std::size_t classes, std::size_t words, double smoothing = 1);

  /// Counts a text of class `label`. A word outside of the known ones is passed over. Throws std::out_of_range for another label.
  void add(std::span<const int> text, int label);

  /// log P(class) + Σ log P(word | class) of every class, with the constant that they share left out. Unknown words are passed
  /// over. A class of which no text was counted gets −infinity.
  std::vector<double> scores(std::span<const int> text) const;

  /// The class with the highest score; the first of equal ones. Throws std::logic_error where no text was counted.
  int classify(std::span<const int> text) const;

 private:
  bool known(int word) const { return word >= 0 && static_cast<std::size_t>(word) < words_; }

  std::size_t words_;
  double smoothing_;
  double all_texts_ = 0;
  std::vector<double> texts_;   ///< [classes]: texts of the class
  std::vector<double> totals_;  ///< [classes]: words in them
  std::vector<double> counts_;  ///< [words, classes]
};

}  // namespace attention::numerics
