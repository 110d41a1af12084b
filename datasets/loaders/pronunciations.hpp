#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/split.hpp"

namespace attention::datasets {

/// The letters that words are made of: the apostrophe and a to z. A letter's number is its place here.
inline constexpr std::string_view letters = "'abcdefghijklmnopqrstuvwxyz";

/// The 39 phonemes of American English in the ARPAbet's spelling, without stress: "AA" as in odd, … "ZH" as in seizure. A
/// phoneme's number is its place here.
inline constexpr std::array<std::string_view, 39> phonemes{
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D",  "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L",  "M",  "N",  "NG", "OW", "OY", "P", "R",  "S",  "SH", "T",  "TH", "UH", "UW", "V", "W", "Y",  "Z",  "ZH"};

/// A word and how it is spoken.
struct Pronunciation {
  std::string word;  ///< of `letters`, at least one of them not an apostrophe
  /// As numbers of phonemes; all are right. The first is the one that the dictionary puts first; most words have only that.
  std::vector<std::vector<int>> spoken;
  Part part = Part::training;
};

struct Pronunciations {
  std::vector<Pronunciation> words;  ///< in the dictionary's order
  std::size_t left_out = 0;          ///< words with a character that is not one of `letters`, such as "a.m." and "able-bodied"
  bool real = false;                 ///< false: the generated stand-in

  /// The words of one part, in the dictionary's order.
  std::vector<const Pronunciation*> of(Part part) const;
};

/// The share of words for each part: of the dictionary's 124,804 words about 5,000 and 10,000.
inline constexpr Shares pronunciation_shares{0.04, 0.08};

/// Reads the CMU pronouncing dictionary, data_folder/pocketsphinx/model/en-us/cmudict-en-us.dict: on each line a word and its
/// phonemes, between single spaces; "word(2)", "word(3)" … are further pronunciations of a word before. A word is for training,
/// validation or test by the hash of its spelling, with all its pronunciations. Where the folder pocketsphinx is not there, gives
/// make_pronunciation_stand_in(). Throws UserError, naming file and line, for a line without word or phonemes, longer than 200
/// bytes, with an unknown phoneme or a control character, a word there twice, a further pronunciation out of turn, and a last line
/// without its end; and for a file that is missing, empty or larger than 64 MB.
Pronunciations load_pronunciations(const std::filesystem::path& data_folder);

/// Generated words of regular spelling in the same form, the same at each call: for those who have no dictionary. "c" before "e"
/// and "i", "sh", and a silent "e" at the end are all that makes their spelling more than letter by letter.
Pronunciations make_pronunciation_stand_in(std::size_t count = 6'000);

/// The numbers of a word's letters; capitals count as small ones. Throws UserError where the word is empty, longer than 40 letters
/// or holds another character.
std::vector<int> spell(std::string_view word);

/// "AH T EH N SH AH N". Throws std::out_of_range for a number that no phoneme has.
std::string spoken_text(const std::vector<int>& spoken);

}  // namespace attention::datasets
