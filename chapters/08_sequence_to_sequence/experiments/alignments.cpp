#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "experiments/experiments.hpp"
#include "words.hpp"

namespace attention::sequence_to_sequence {

namespace {

/// The first test words of each of these lengths behind a quarter, a half and three quarters of the dictionary: nobody has picked them.
std::vector<std::string> some_words(const datasets::Pronunciations& data) {
  std::vector<std::string> words;
  const auto test = data.of(datasets::Part::test);
  for (std::size_t quarter = 1; quarter <= 3; ++quarter) {
    const std::size_t length = 3 + 3 * quarter;
    const auto from = test.begin() + static_cast<std::ptrdiff_t>(quarter * test.size() / 4);
    const auto found = std::find_if(from, test.end(), [&](const datasets::Pronunciation* entry) { return entry->word.size() == length; });
    if (found != test.end()) words.push_back((*found)->word);
  }
  return words;
}

}  // namespace

void alignments(const Context& c) {
  const std::vector<std::string> words = some_words(c.words);
  for (const Plan& plan : spelling_plans()) {
    if (plan.sizes.kind == Kind::none) continue;
    const std::optional<Trained> trained = load_spelling(plan, c.words, c.trained);
    if (!trained) continue;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const Answer answer = answers(trained->model, {letters_of(words[i])}).front();
      record::AttentionRecord record = record_of(words[i], answer, c.words.real);
      record.title += fmt::format(" ({})", plan.name);
      record.machine = c.results.machine();
      record::write(record, c.results.folder(), fmt::format("word_{}_{}", plan.name, i + 1));
      if (plan.name == "g2p_additive") std::cout << record.title << '\n' << map_of(words[i], answer) << '\n';
    }
  }
}

}  // namespace attention::sequence_to_sequence
