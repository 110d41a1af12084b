#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/split.hpp"

namespace attention::datasets {

/// Words in a row with one tag: the numbers that James Strong's concordance of 1890 gives the Hebrew (H) and Greek (G) words of the
/// original which these translate.
struct StrongTag {
  std::size_t begin = 0;  ///< the first of its words
  std::size_t end = 0;    ///< behind its last
  std::vector<std::string> numbers;  ///< "H7225", "G3056", without zeros before
};

/// The words of a verse in small letters, without punctuation, and their tags.
struct TaggedText {
  std::vector<std::string> words;
  std::vector<StrongTag> tags;  ///< in order, each with at least one word; a word may have none
};

/// Words and tags of a verse in OSIS. A word is a run of letters, accents and digits, with an apostrophe between letters inside it
/// ("god's"); everything else, hyphens too, stands between words. Small letters are Unicode's. Notes, titles, names of speakers
/// and what follows the end of the chapter are no part of the verse.
TaggedText read_tagged_text(std::string_view markup);

/// A place where both sides of a pair translate the same word of the original.
struct GoldLink {
  std::string number;  ///< "H7225"
  std::size_t source_begin = 0, source_end = 0;  ///< words that carry it, the second behind the last
  std::size_t target_begin = 0, target_end = 0;
};

/// The numbers that exactly one tag carries on either side, in the order of the target's words.
std::vector<GoldLink> gold_links(const TaggedText& source, const TaggedText& target);

/// A verse in two languages.
struct VersePair {
  std::string chapter;  ///< "Gen.1"
  int verse = 0;
  TaggedText source;
  TaggedText target;
  Part part = Part::training;
};

struct VersePairs {
  std::vector<VersePair> pairs;
  std::size_t aligned = 0;   ///< verses that both sides have, before any was left out
  std::size_t too_long = 0;  ///< left out for their length
  std::size_t repeated = 0;  ///< left out of validation and test because training has the same target
  bool real = false;         ///< false: the generated stand-in
};

struct VerseOptions {
  std::size_t most_source_words = 12;
  std::size_t most_target_words = 14;
  Shares shares{0.05, 0.10};
};

/// Spanish (Reina-Valera 1909) and English (World English Bible) verses of data_folder/sword, by chapter and verse; see
/// read_sword_module. Formulas such as "and Yahweh spoke to Moses, saying" stand in many verses, so a pair's part is chosen by the
/// hash of its Spanish words, and a pair of validation or test whose English words training has, too, is left out. Where one of the
/// two modules is not there, gives make_verse_stand_in(). Throws UserError where read_sword_module does.
VersePairs load_verses(const std::filesystem::path& data_folder, const VerseOptions& options = {});

/// Generated sentences of a few words in two invented languages, the same at each call: the target puts the quality before the
/// thing and leaves no article out. For those who have no modules.
VersePairs make_verse_stand_in(std::size_t count = 4'000);

}  // namespace attention::datasets
