#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace attention::multi_head {

/// Cuts text into the pieces of a vocabulary: the unigram model of SentencePiece (Kudo 2018, Subword Regularization, section 3.2).
/// Of all ways to cut, the one whose pieces have the largest sum of log-probabilities, found by Viterbi's algorithm.
class Tokeniser {
 public:
  /// `pieces`: each with its log-probability; a piece's number is its place. The first `reserved` stand for no text (piece 0: what
  /// is unknown).
  explicit Tokeniser(std::vector<std::pair<std::string, double>> pieces, std::size_t reserved = 6);

  /// The numbers of the pieces. The text is brought into Unicode's form NFKC; every space becomes ▁, and one goes before. A
  /// character that no piece begins with is unknown, piece 0; unknown ones in a row are one. Empty text has no pieces.
  /// Throws UserError for text that is not UTF-8.
  std::vector<std::size_t> encode(std::string_view text) const;

  const std::string& piece(std::size_t number) const { return pieces_[number].first; }
  std::size_t size() const { return pieces_.size(); }

 private:
  std::vector<std::pair<std::string, double>> pieces_;
  std::unordered_map<std::string_view, std::size_t> numbers_;  ///< of the text of pieces_
  std::size_t longest_ = 0;                                    ///< piece, in characters
};

}  // namespace attention::multi_head
