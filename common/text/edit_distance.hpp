#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace attention::text {

/// The least number of insertions, deletions and replacements that make `a` of `b` (V. I. Levenshtein 1966), by the row-by-row
/// program of Wagner and Fischer 1974.
template <class Symbol>
std::size_t edit_distance(std::span<const Symbol> a, std::span<const Symbol> b) {
  std::vector<std::size_t> row(b.size() + 1);  // row[j]: the distance of a's beginning from b's first j symbols
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// Errors of answers that are sequences of symbols, such as the phonemes of a word, of which several may be right.
struct SequenceErrors {
  std::size_t answers = 0;
  std::size_t wrong = 0;    ///< answers that equal none of the right ones
  std::size_t edits = 0;    ///< from each answer to the nearest right one, the first of equally near ones
  std::size_t symbols = 0;  ///< in those right ones

  /// Counts an answer. Throws std::invalid_argument where no right answer is given.
  template <class Symbol>
  void add(const std::vector<Symbol>& answer, const std::vector<std::vector<Symbol>>& right) {
    if (right.empty()) throw std::invalid_argument("an answer needs a right one to be compared with");
    std::size_t best = 0;
    std::size_t least = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const std::size_t distance = edit_distance(std::span<const Symbol>(answer), std::span<const Symbol>(right[i]));
      if (i == 0 || distance < least) {
        least = distance;
        best = i;
      }
    }
    ++answers;
    wrong += least > 0 ? 1 : 0;
    edits += least;
    symbols += right[best].size();
  }

  /// Share of answers that are wrong (word error rate, where an answer is a word's pronunciation), and edits for each right symbol
  /// (phoneme error rate; it can exceed 1). 0 where nothing was counted.
  double answer_error_rate() const { return answers == 0 ? 0 : static_cast<double>(wrong) / static_cast<double>(answers); }
  double symbol_error_rate() const { return symbols == 0 ? 0 : static_cast<double>(edits) / static_cast<double>(symbols); }
};

}  // namespace attention::text
