#include "numerics/naive_bayes.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace attention::numerics {

NaiveBayes::NaiveBayes(std::size_t classes, std::size_t words, double smoothing)
    : words_(words), smoothing_(smoothing), texts_(classes), totals_(classes), counts_(words * classes) {
  if (classes == 0 || words == 0) throw std::invalid_argument("naive Bayes needs a class and a word");
  if (!(smoothing > 0)) throw std::invalid_argument("naive Bayes needs a smoothing above 0");
}

void NaiveBayes::add(std::span<const int> text, int label) {
  const auto c = static_cast<std::size_t>(label);
  texts_.at(c) += 1;
  all_texts_ += 1;
  for (const int word : text) {
    if (!known(word)) continue;
    counts_[static_cast<std::size_t>(word) * texts_.size() + c] += 1;
    totals_[c] += 1;
  }
}

std::vector<double> NaiveBayes::scores(std::span<const int> text) const {
  std::vector<double> scores(texts_.size());
  for (std::size_t c = 0; c < scores.size(); ++c) scores[c] = std::log(texts_[c] / all_texts_);
  const double added = smoothing_ * static_cast<double>(words_);
  for (const int word : text) {
    if (!known(word)) continue;
    const double* counts = &counts_[static_cast<std::size_t>(word) * scores.size()];
    for (std::size_t c = 0; c < scores.size(); ++c) scores[c] += std::log((counts[c] + smoothing_) / (totals_[c] + added));
  }
  return scores;
}

int NaiveBayes::classify(std::span<const int> text) const {
  if (all_texts_ == 0) throw std::logic_error("naive Bayes has counted no text");
  const std::vector<double> all = scores(text);
  return static_cast<int>(std::ranges::max_element(all) - all.begin());
}

}  // namespace attention::numerics
