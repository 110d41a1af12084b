#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace attention::datasets {

/// What WordNet says about one meaning of a noun.
struct Gloss {
  int word_class = 0;              ///< place in Glosses::class_names
  std::vector<std::string> words;  ///< the nouns with this meaning, `_` between the parts of one: "living_thing"
  std::string text;                ///< the meaning in English, with examples: "a living (or once living) entity"
};

/// All nouns of WordNet, in the file's order.
struct Glosses {
  std::vector<Gloss> glosses;
  std::vector<std::string> class_names;  ///< 26: "Tops", "act", "animal", … "time"
  bool real = false;                     ///< false: the generated stand-in
};

/// Reads data_folder/wordnet/data.noun, plain or gzip. Where the folder wordnet is not there, gives make_gloss_stand_in().
/// Throws UserError, naming file and line, for a folder without the file and for a line that is not as the format
/// (wndb(5WN)) has it: number of the byte it begins with, class, count of words, text.
Glosses load_glosses(const std::filesystem::path& data_folder);

/// Generated glosses of a few dozen words in the same form, the same at each call: for those who have no WordNet.
Glosses make_gloss_stand_in(std::size_t count = 3'000);

}  // namespace attention::datasets
