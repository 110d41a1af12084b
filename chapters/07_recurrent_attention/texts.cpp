#include "texts.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "loaders/split.hpp"
#include "numerics/hash.hpp"

namespace attention::recurrent_attention {

namespace {

const std::vector<std::string>& chosen_classes() {
  static const std::vector<std::string> names{"animal", "artifact", "body", "communication", "food", "location", "person", "plant", "substance", "time"};
  return names;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    while (word.ends_with('\'')) word.pop_back();
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 128 || (c == '\'' && !word.empty()))
      word += static_cast<char>(std::tolower(byte));
    else
      end_word();
  }
  end_word();
  return words;
}

Texts texts_of(const datasets::Glosses& glosses) {
  Texts texts;
  texts.classes = chosen_classes();
  texts.real = glosses.real;
  // By hash, which decides what is taken and in which order it stands.
  std::vector<std::map<std::uint64_t, const datasets::Gloss*>> of_class(texts.classes.size());
  std::set<std::string_view> seen;
  for (const datasets::Gloss& gloss : glosses.glosses) {
    const auto place = std::ranges::find(texts.classes, glosses.class_names[static_cast<std::size_t>(gloss.word_class)]);
    if (place == texts.classes.end() || words_of(gloss.text).empty() || !seen.insert(gloss.text).second) continue;
    of_class[static_cast<std::size_t>(place - texts.classes.begin())].emplace(numerics::hash_of("taken " + gloss.text), &gloss);
  }
  for (std::size_t label = 0; label < of_class.size(); ++label) {
    std::size_t taken = 0;
    for (const auto& [hash, gloss] : of_class[label]) {
      if (taken++ == most_of_a_class) break;
      Text text{words_of(gloss->text), static_cast<int>(label), gloss->words.front()};
      switch (datasets::part_of(gloss->text, {.validation = validation_share, .test = test_share})) {
        case datasets::Part::training: texts.training.push_back(std::move(text)); break;
        case datasets::Part::validation: texts.validation.push_back(std::move(text)); break;
        case datasets::Part::test: texts.test.push_back(std::move(text)); break;
      }
    }
  }
  return texts;
}

}  // namespace attention::recurrent_attention
