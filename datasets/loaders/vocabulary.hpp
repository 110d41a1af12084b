#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace attention::datasets {

/// Numbers for words: first the four special ones, then the words by falling count, equal counts by alphabet.
class Vocabulary {
 public:
  static constexpr int padding = 0;
  static constexpr int unknown = 1;
  static constexpr int begin = 2;  ///< before the first word of an answer
  static constexpr int end = 3;    ///< after its last
  static constexpr int first_word = 4;

  /// Counts words.
  class Counts {
   public:
    void add(const std::vector<std::string>& words) {
      for (const std::string& word : words) ++counts_[word];
    }

   private:
    friend class Vocabulary;
    std::map<std::string, std::size_t, std::less<>> counts_;
  };

  /// Of the words counted at least `least` times.
  explicit Vocabulary(const Counts& counts, std::size_t least = 1);

  /// How many numbers there are, with the special ones.
  std::size_t size() const { return words_.size(); }
  /// The number of a word; `unknown` where it has none.
  int id(std::string_view word) const;
  std::vector<int> ids(const std::vector<std::string>& words) const;
  /// The word of a number, "<padding>", "<unknown>", "<begin>" or "<end>". Throws std::out_of_range for another number.
  const std::string& word(int id) const { return words_.at(static_cast<std::size_t>(id)); }
  /// All of them, by number: what a checkpoint must hold to be read again.
  const std::vector<std::string>& words() const { return words_; }
  /// How many of the counted words have a number, 0 to 1, each as often as it stands there.
  double coverage() const { return coverage_; }

 private:
  std::vector<std::string> words_;
  std::map<std::string, int, std::less<>> ids_;
  double coverage_ = 0;
};

}  // namespace attention::datasets
