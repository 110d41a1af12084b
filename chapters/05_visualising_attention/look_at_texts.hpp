#pragma once

#include <filesystem>
#include <ostream>
#include <span>
#include <string>

#include "ladder/results.hpp"
#include "sentence_encoder.hpp"

namespace attention::visualising {

/// Texts whose attention is written; of more, the rest is left out with a word.
inline constexpr std::size_t most_texts = 8;

/// Reads the texts with the sentence encoder: maps and coloured words on `out`; in `results` the attention
/// records text_1, text_1_rollout, text_1_flow, … with their exports below bertviz/, and texts.json. Gives
/// the records' names. An empty text has none.
std::vector<std::string> look_at_texts(std::span<const std::string> texts,
                                       const multi_head::SentenceEncoder& encoder,
                                       const ladder::Results& results, std::ostream& out);

/// For a reader's own texts: the same in `results`/05_visualising_attention/text, where what an earlier call
/// wrote goes; and whether the weights explain the answers of chapter 7's classifier, where `evidence` names
/// a record that it has left about them and is not empty. Throws UserError where nothing can be written or
/// the record is damaged.
void look_at_own_texts(std::span<const std::string> texts, const multi_head::SentenceEncoder& encoder,
                       const std::filesystem::path& results, const std::filesystem::path& evidence,
                       std::ostream& out);

}  // namespace attention::visualising
