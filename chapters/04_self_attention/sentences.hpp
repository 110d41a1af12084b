#pragma once

#include <filesystem>
#include <istream>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "sentence_encoder.hpp"

/// Sentences of the user: how alike a trained encoder finds them, and what its heads look at in them.
namespace attention::self_attention {

/// How much of many sentences is shown, so that it stays readable.
struct SentenceLimits {
  static constexpr std::size_t most = 10'000;   ///< sentences that are taken
  static constexpr std::size_t listed = 30;     ///< on the terminal
  static constexpr std::size_t in_table = 10;   ///< columns of similarities on the terminal
  static constexpr std::size_t in_result = 50;  ///< rows and columns of similarities in sentences.json
  static constexpr std::size_t couples =
      10;  ///< of the most similar sentences, where the table does not hold all
  static constexpr std::size_t mapped = 8;               ///< attention records
  static constexpr std::size_t mapped_on_terminal = 2;   ///< of these
  static constexpr std::size_t pieces_on_terminal = 32;  ///< a longer sentence's maps are on the page alone
};

/// The sentences of the command line; "-" stands for those of `input`, one a line. The end of a line may be
/// \n or \r\n; an empty line is no sentence. Throws UserError where there is none, where there are more than
/// SentenceLimits::most or 64 MB, and for one that is not UTF-8, with its number.
std::vector<std::string> read_sentences(std::span<const std::string> texts, std::istream& input);

/// Two sentences, counted from 0, and the product of their embeddings.
struct Couple {
  std::size_t first = 0, second = 0;
  double similarity = 0;
};

/// The `count` most similar couples of different sentences, the most similar first; of equal ones, the
/// earlier. With all threads, and the same for any number of them.
std::vector<Couple> most_similar(std::span<const std::vector<float>> embeddings, std::size_t count);

/// Embeds the sentences and looks at them: tables and maps on `out`; in `results`/04_self_attention/text the
/// files sentences.json and summary.json, and the attention records sentence_1, sentence_2, … What an earlier
/// call wrote there goes; nothing beside the folder is touched. Throws UserError where it cannot be written.
void look_at_sentences(std::span<const std::string> sentences, const multi_head::SentenceEncoder& encoder,
                       const std::filesystem::path& results, std::ostream& out);

}  // namespace attention::self_attention
