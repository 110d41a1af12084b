#pragma once

#include <ostream>
#include <span>
#include <string>

#include "record/attention_record.hpp"
#include "trainings.hpp"

/// Words of the user: how they are spoken, and which letters each phoneme looks at.
namespace attention::sequence_to_sequence {

inline constexpr std::size_t most_words = 100;

/// A word's answer as an attention record: a query for each phoneme and the end, a key for each letter and the end.
record::AttentionRecord record_of(const std::string& word, const Answer& answer, bool real);

/// A map of the same for the terminal: a line for each phoneme, a column for each letter.
std::string map_of(const std::string& word, const Answer& answer);

/// Prints the phonemes of each word, what the dictionary says, and the map; writes words.json, summary.json and the attention records word_1, word_2, … into
/// `results`/08_sequence_to_sequence/word, from where an earlier call's go. Throws UserError for what is no word, and for more than most_words.
void look_at_words(std::span<const std::string> words, const EncoderDecoder<float>& model, const datasets::Pronunciations& data, const std::filesystem::path& results,
                   std::ostream& out);

}  // namespace attention::sequence_to_sequence
