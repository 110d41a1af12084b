#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/glosses.hpp"
#include "loaders/split.hpp"

namespace attention::datasets {

/// A gloss as an example for telling the class of a noun from its meaning.
struct ClassifiedGloss {
  int label = 0;                   ///< place in GlossClasses::class_names
  std::string noun;                ///< the first noun with this meaning
  std::vector<std::string> words;  ///< gloss_words() of its text, at least one
  Part part = Part::training;
};

struct GlossClasses {
  std::vector<std::string> class_names;
  std::vector<ClassifiedGloss> glosses;  ///< in WordNet's order
  bool real = false;                     ///< false: from the generated stand-in
};

struct GlossClassOptions {
  std::size_t classes = 10;
  std::size_t most_of_each = 1'500;
  bool examples = true;  ///< with the sentences in quotes that follow some meanings
  Shares shares{0.05, 0.15};
};

/// The classes with the most glosses, the first glosses of each in WordNet's order, which goes by the meaning of nouns: a class's
/// first glosses are near to each other, and easier to tell from others than glosses drawn at random from it. The part of a gloss
/// follows from the hash of its words, so that equal texts are never in two parts. Glosses without a word are left out. Throws
/// std::invalid_argument where there are fewer classes than asked for.
GlossClasses choose_gloss_classes(const Glosses& glosses, const GlossClassOptions& options = {});

/// The words of a gloss in small letters: runs of letters, with an apostrophe between letters inside; each run of digits is one
/// word "#", whatever its number; nothing else is kept. Without `examples` the text ends before the first quotation mark.
std::vector<std::string> gloss_words(std::string_view text, bool examples = true);

/// The share of a part's glosses that multinomial naive Bayes over the words of the training glosses tells rightly: what a reader
/// without word order reaches. Throws std::invalid_argument where the part is empty.
double naive_bayes_accuracy(const GlossClasses& glosses, Part part = Part::test);

}  // namespace attention::datasets
