#pragma once

#include "decoding.hpp"
#include "loaders/pronunciations.hpp"
#include "text/edit_distance.hpp"

/// Grapheme to phoneme: a word's letters become the phonemes that it is spoken with.
namespace attention::sequence_to_sequence {

/// How many symbols each side has, marks with them.
inline constexpr Index letter_symbols = first_symbol + static_cast<Index>(datasets::letters.size());
inline constexpr Index phoneme_symbols = first_symbol + static_cast<Index>(datasets::phonemes.size());

/// A word's letters as symbols. Throws UserError as datasets::spell does.
Symbols letters_of(std::string_view word);
/// Phonemes, numbered as the dictionary's, as symbols; and back.
Symbols phonemes_as_symbols(const std::vector<int>& spoken);
std::vector<int> symbols_as_phonemes(const Symbols& symbols);

/// Each word with each of its pronunciations.
std::vector<Pair> pronunciation_pairs(const std::vector<const datasets::Pronunciation*>& words);

/// The errors of answers to these words: an answer is right where it is one of the word's pronunciations.
text::SequenceErrors errors_of(const std::vector<Answer>& answers, const std::vector<const datasets::Pronunciation*>& words);
/// The answers to these words.
std::vector<Answer> pronounce(const EncoderDecoder<float>& model, const std::vector<const datasets::Pronunciation*>& words, const Search& search = {});

}  // namespace attention::sequence_to_sequence
