#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/glosses.hpp"

namespace attention::recurrent_attention {

/// The words of a text in lower case: runs of letters, digits and apostrophes; signs between them fall away.
std::vector<std::string> words_of(std::string_view text);

/// A gloss and what kind of thing it is about.
struct Text {
  std::vector<std::string> words;
  int label = 0;     ///< place in Texts::classes
  std::string noun;  ///< which the gloss explains; the classifier does not see it
};

/// Glosses of ten classes in three parts, the same on every machine.
struct Texts {
  std::vector<std::string> classes;
  std::vector<Text> training, validation, test;
  bool real = false;
};

/// At most so many glosses of a class are taken, and what share of them is held back.
inline constexpr std::size_t most_of_a_class = 1500;
inline constexpr double validation_share = 0.10, test_share = 0.15;

/// Ten classes of things that can be pointed at, said or dated. Of a class with more than `most_of_a_class` different glosses those
/// with the smallest hashes are taken. A gloss's hash alone says which part it is in; a gloss that stands in the dictionary twice counts
/// once.
Texts texts_of(const datasets::Glosses& glosses);

}  // namespace attention::recurrent_attention
