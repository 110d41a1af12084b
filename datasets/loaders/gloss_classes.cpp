#include "loaders/gloss_classes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "loaders/vocabulary.hpp"
#include "numerics/naive_bayes.hpp"

namespace attention::datasets {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The small letter; '\0' for what is no letter. Bytes of accented letters stand between words: WordNet has next to none.
char small_letter(char c) {
  if (c >= 'a' && c <= 'z') return c;
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '\0';
}

}  // namespace

std::vector<std::string> gloss_words(std::string_view text, bool examples) {
  if (!examples) text = text.substr(0, text.find('"'));
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      if (word == "#") continue;
      finish();
      word.push_back('#');
    } else if (const char letter = small_letter(text[i])) {
      if (word == "#") finish();
      word += letter;
    } else if (text[i] == '\'' && !word.empty() && word != "#" && i + 1 < text.size() && small_letter(text[i + 1])) {
      word += '\'';
    } else {
      finish();
    }
  }
  finish();
  return words;
}

GlossClasses choose_gloss_classes(const Glosses& glosses, const GlossClassOptions& options) {
  const std::size_t all = glosses.class_names.size();
  if (options.classes > all) throw std::invalid_argument(fmt::format("{} classes of {}", options.classes, all));
  std::vector<std::size_t> sizes(all);
  for (const Gloss& gloss : glosses.glosses) ++sizes[static_cast<std::size_t>(gloss.word_class)];
  std::vector<std::size_t> largest(all);
  std::iota(largest.begin(), largest.end(), std::size_t{0});
  std::ranges::stable_sort(largest, [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  largest.resize(options.classes);
  std::ranges::sort(largest);

  GlossClasses chosen;
  chosen.real = glosses.real;
  std::vector<int> labels(all, -1);
  for (const std::size_t c : largest) {
    labels[c] = static_cast<int>(chosen.class_names.size());
    chosen.class_names.push_back(glosses.class_names[c]);
  }
  std::vector<std::size_t> taken(options.classes);
  for (const Gloss& gloss : glosses.glosses) {
    const int label = labels[static_cast<std::size_t>(gloss.word_class)];
    if (label < 0 || taken[static_cast<std::size_t>(label)] == options.most_of_each) continue;
    ClassifiedGloss example{label, gloss.words.front(), gloss_words(gloss.text, options.examples), {}};
    if (example.words.empty()) continue;
    example.part = part_of(fmt::format("{}", fmt::join(example.words, " ")), options.shares);
    ++taken[static_cast<std::size_t>(label)];
    chosen.glosses.push_back(std::move(example));
  }
  return chosen;
}

double naive_bayes_accuracy(const GlossClasses& glosses, Part part) {
  Vocabulary::Counts counts;
  for (const ClassifiedGloss& gloss : glosses.glosses)
    if (gloss.part == Part::training) counts.add(gloss.words);
  const Vocabulary vocabulary(counts);
  // A word that training never saw says nothing: it is left out, not counted as one that is common to all classes.
  const auto known = [&](const ClassifiedGloss& gloss) {
    std::vector<int> ids = vocabulary.ids(gloss.words);
    std::erase(ids, Vocabulary::unknown);
    return ids;
  };
  numerics::NaiveBayes bayes(glosses.class_names.size(), vocabulary.size());
  for (const ClassifiedGloss& gloss : glosses.glosses)
    if (gloss.part == Part::training) bayes.add(known(gloss), gloss.label);
  std::size_t all = 0;
  std::size_t right = 0;
  for (const ClassifiedGloss& gloss : glosses.glosses) {
    if (gloss.part != part) continue;
    ++all;
    right += bayes.classify(known(gloss)) == gloss.label ? 1 : 0;
  }
  if (all == 0) throw std::invalid_argument("no gloss of that part");
  return static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace attention::datasets
