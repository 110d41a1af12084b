#include "spelling.hpp"

namespace attention::sequence_to_sequence {

namespace {

Symbols shifted_by(const std::vector<int>& numbers, int by) {
  Symbols symbols;
  for (const int number : numbers) symbols.push_back(number + by);
  return symbols;
}

}  // namespace

Symbols letters_of(std::string_view word) { return shifted_by(datasets::spell(word), first_symbol); }
Symbols phonemes_as_symbols(const std::vector<int>& spoken) { return shifted_by(spoken, first_symbol); }
std::vector<int> symbols_as_phonemes(const Symbols& symbols) { return shifted_by(symbols, -first_symbol); }

std::vector<Pair> pronunciation_pairs(const std::vector<const datasets::Pronunciation*>& words) {
  std::vector<Pair> pairs;
  for (const datasets::Pronunciation* word : words)
    for (const std::vector<int>& spoken : word->spoken) pairs.push_back({letters_of(word->word), phonemes_as_symbols(spoken)});
  return pairs;
}

text::SequenceErrors errors_of(const std::vector<Answer>& answers, const std::vector<const datasets::Pronunciation*>& words) {
  text::SequenceErrors errors;
  for (std::size_t i = 0; i < words.size(); ++i) errors.add(symbols_as_phonemes(answers[i].symbols), words[i]->spoken);
  return errors;
}

std::vector<Answer> pronounce(const EncoderDecoder<float>& model, const std::vector<const datasets::Pronunciation*>& words, const Search& search) {
  std::vector<Symbols> sources;
  for (const datasets::Pronunciation* word : words) sources.push_back(letters_of(word->word));
  return answers(model, sources, search);
}

}  // namespace attention::sequence_to_sequence
