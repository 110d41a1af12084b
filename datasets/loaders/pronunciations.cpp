#include "loaders/pronunciations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "loaders/folder.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::datasets {
namespace {

using program::one_line;
using program::UserError;
namespace fs = std::filesystem;

constexpr std::uint64_t largest_file = 64'000'000;
constexpr std::size_t longest_line = 200;
constexpr std::size_t longest_word = 40;

bool of_letters(std::string_view word) {
  return word.find_first_not_of(letters) == word.npos && word.find_first_not_of('\'') != word.npos;
}

class Reader {
 public:
  explicit Reader(const fs::path& file) : name_(one_line(file.string())), text_(program::read_text(file, largest_file)) {}

  Pronunciations read() {
    Pronunciations all;
    all.real = true;
    for (std::size_t begin = 0; begin < text_.size();) {
      ++line_;
      const std::size_t end = text_.find('\n', begin);
      if (end == text_.npos) refuse("it has no end: the file is truncated");
      take(std::string_view(text_).substr(begin, end - begin), all);
      begin = end + 1;
    }
    if (all.words.empty()) throw UserError(fmt::format("{}: no words; fetch it again", name_));
    return all;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    throw UserError(fmt::format("{}: line {}: {}", name_, line_, fmt::format(format, std::forward<Args>(args)...)));
  }

  void take(std::string_view line, Pronunciations& all) {
    if (line.size() > longest_line) refuse("{} bytes, expected at most {}", line.size(), longest_line);
    if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < ' '; }))
      refuse("'{}' holds a control character", one_line(line, 40));
    const std::size_t space = line.find(' ');
    std::string_view word = line.substr(0, space);
    if (word.empty()) refuse("it has no word, found '{}'", one_line(line, 40));
    if (space == line.npos) refuse("'{}' has no phonemes", one_line(word, 40));
    std::vector<int> spoken = phonemes_of(word, line.substr(space + 1));

    const std::size_t turn = take_turn(word);
    auto [entry, is_new] = seen_.try_emplace(std::string(word));
    if (turn != entry->second.count + 1)
      refuse("pronunciation {} of '{}', of which {} stand before", turn, one_line(word, 40), entry->second.count);
    ++entry->second.count;
    if (is_new) {
      if (!of_letters(word)) {
        ++all.left_out;
        return;
      }
      entry->second.place = all.words.size();
      entry->second.is_kept = true;
      all.words.push_back({std::string(word), {}, part_of(word, pronunciation_shares)});
    }
    if (!entry->second.is_kept) return;
    auto& known = all.words[entry->second.place].spoken;
    if (std::ranges::find(known, spoken) == known.end()) known.push_back(std::move(spoken));
  }

  std::vector<int> phonemes_of(std::string_view word, std::string_view rest) const {
    std::vector<int> spoken;
    while (true) {
      const std::size_t space = rest.find(' ');
      const std::string_view name = rest.substr(0, space);
      const auto found = std::ranges::find(phonemes, name);
      if (found == phonemes.end()) refuse("'{}' of '{}' is no phoneme", one_line(name, 20), one_line(word, 40));
      spoken.push_back(static_cast<int>(found - phonemes.begin()));
      if (space == rest.npos) return spoken;
      rest.remove_prefix(space + 1);
    }
  }

  /// Takes "(2)" off the word's end; 1 where there is none.
  std::size_t take_turn(std::string_view& word) const {
    const std::size_t open = word.find('(');
    if (open == word.npos) return 1;
    const std::string_view inside = word.substr(open + 1);
    std::size_t turn = 0;
    const auto [stop, error] = std::from_chars(inside.data(), inside.data() + inside.size(), turn);
    if (error != std::errc{} || std::string_view(stop, inside.data() + inside.size()) != ")" || turn < 2 || open == 0)
      refuse("'{}', expected a word or its further pronunciation as in word(2)", one_line(word, 40));
    word = word.substr(0, open);
    return turn;
  }

  struct Seen {
    std::size_t count = 0;  ///< pronunciations so far
    std::size_t place = 0;  ///< in Pronunciations::words, where the word is kept
    bool is_kept = false;
  };

  std::string name_;
  std::string text_;
  std::size_t line_ = 0;
  std::map<std::string, Seen, std::less<>> seen_;
};

int phoneme(std::string_view name) { return static_cast<int>(std::ranges::find(phonemes, name) - phonemes.begin()); }

struct Spelling {
  std::string_view letters;
  std::string_view phoneme;
};

}  // namespace

std::vector<const Pronunciation*> Pronunciations::of(Part part) const {
  std::vector<const Pronunciation*> chosen;
  for (const Pronunciation& word : words)
    if (word.part == part) chosen.push_back(&word);
  return chosen;
}

Pronunciations load_pronunciations(const fs::path& data_folder) {
  if (!has_folder(data_folder, "pocketsphinx")) return make_pronunciation_stand_in();
  return Reader(data_folder / "pocketsphinx/model/en-us/cmudict-en-us.dict").read();
}

Pronunciations make_pronunciation_stand_in(std::size_t count) {
  constexpr std::array<Spelling, 14> onsets{{{"b", "B"}, {"d", "D"}, {"f", "F"}, {"g", "G"}, {"l", "L"}, {"m", "M"}, {"n", "N"},
                                             {"p", "P"}, {"r", "R"}, {"s", "S"}, {"t", "T"}, {"sh", "SH"}, {"ch", "CH"}, {"c", "K"}}};
  constexpr std::array<Spelling, 5> short_vowels{{{"a", "AE"}, {"e", "EH"}, {"i", "IH"}, {"o", "AA"}, {"u", "AH"}}};
  constexpr std::array<std::string_view, 5> long_vowels{"EY", "IY", "AY", "OW", "UW"};
  constexpr std::array<Spelling, 6> codas{{{"n", "N"}, {"t", "T"}, {"l", "L"}, {"m", "M"}, {"ck", "K"}, {"ng", "NG"}}};
  Pronunciations all;
  numerics::Random random(1);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random.bits() % n); };
  std::set<std::string> seen;
  while (all.words.size() < count) {
    Pronunciation made;
    std::vector<int> spoken;
    const std::size_t syllables = 1 + below(5);
    for (std::size_t s = 0; s < syllables; ++s) {
      const Spelling onset = onsets[below(onsets.size())];
      const std::size_t v = below(short_vowels.size());
      const char vowel = short_vowels[v].letters.front();
      const bool is_soft = onset.letters == "c" && (vowel == 'e' || vowel == 'i');
      const bool is_last = s + 1 == syllables;
      const bool has_silent_e = is_last && below(3) == 0;
      const Spelling coda = codas[has_silent_e ? below(4) : below(codas.size())];
      const bool has_coda = has_silent_e || below(2) == 0;
      made.word += fmt::format("{}{}{}{}", onset.letters, vowel, has_coda ? coda.letters : "", has_silent_e ? "e" : "");
      spoken.push_back(is_soft ? phoneme("S") : phoneme(onset.phoneme));
      spoken.push_back(phoneme(has_silent_e ? long_vowels[v] : short_vowels[v].phoneme));
      if (has_coda) spoken.push_back(phoneme(coda.phoneme));
    }
    if (!seen.insert(made.word).second) continue;
    made.spoken.push_back(std::move(spoken));
    made.part = part_of(made.word, pronunciation_shares);
    all.words.push_back(std::move(made));
  }
  return all;
}

std::vector<int> spell(std::string_view word) {
  if (word.empty()) throw UserError("the word is empty; give one of letters, as in attention");
  if (word.size() > longest_word)
    throw UserError(fmt::format("the word '{}' has {} letters; at most {} are taken", one_line(word, 20), word.size(), longest_word));
  std::vector<int> numbers;
  for (const char c : word) {
    const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t place = letters.find(small);
    if (place == letters.npos)
      throw UserError(fmt::format("the word '{}' holds more than the letters a to z and the apostrophe", one_line(word, 40)));
    numbers.push_back(static_cast<int>(place));
  }
  return numbers;
}

std::string spoken_text(const std::vector<int>& spoken) {
  std::string text;
  for (const int number : spoken) {
    if (!text.empty()) text += ' ';
    text += phonemes.at(static_cast<std::size_t>(number));
  }
  return text;
}

}  // namespace attention::datasets
