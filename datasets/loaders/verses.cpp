#include "loaders/verses.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "loaders/folder.hpp"
#include "loaders/markup.hpp"
#include "loaders/sword.hpp"
#include "numerics/random.hpp"

namespace attention::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char* spanish = "spaRV1909eb";
constexpr const char* english = "engWEB2015eb";

/// The first character of UTF-8 text, which is not empty, and its bytes; -1 for a byte that is not UTF-8.
std::pair<utf8proc_int32_t, std::size_t> first_character(std::string_view text) {
  utf8proc_int32_t code = -1;
  const auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                      static_cast<utf8proc_ssize_t>(text.size()), &code);
  return bytes > 0 ? std::pair(code, static_cast<std::size_t>(bytes)) : std::pair(utf8proc_int32_t{-1}, std::size_t{1});
}

bool is_of_word(utf8proc_int32_t code) {
  if (code < 0) return false;
  const auto category = utf8proc_category(code);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) || category == UTF8PROC_CATEGORY_ND;
}

std::string small_letter(utf8proc_int32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto count = utf8proc_encode_char(utf8proc_tolower(code), bytes.data());
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(count)};
}

void add_words(std::string_view text, std::vector<std::string>& words) {
  constexpr utf8proc_int32_t right_quote = 0x2019;
  std::string word;
  while (!text.empty()) {
    const auto [code, bytes] = first_character(text);
    text.remove_prefix(bytes);
    if (is_of_word(code)) {
      word += small_letter(code);
    } else if ((code == '\'' || code == right_quote) && !word.empty() && !text.empty() && is_of_word(first_character(text).first)) {
      word += '\'';
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
}

/// "strong:G2424 G5547" as "G2424" and "G5547"; "strong:H0430" as "H430". What is no such number is passed over.
std::vector<std::string> numbers_of(std::string_view lemma) {
  std::vector<std::string> numbers;
  while (!lemma.empty()) {
    const std::size_t end = std::min(lemma.find(' '), lemma.size());
    std::string_view number = lemma.substr(0, end);
    lemma.remove_prefix(std::min(end + 1, lemma.size()));
    if (const std::size_t colon = number.find(':'); colon != number.npos) number.remove_prefix(colon + 1);
    if (number.size() < 2 || (number[0] != 'H' && number[0] != 'G')) continue;
    const std::size_t digits = number.find_first_not_of('0', 1);
    if (digits == number.npos || number.find_first_not_of("0123456789", 1) != number.npos) continue;
    numbers.push_back(number[0] + std::string(number.substr(digits)));
  }
  return numbers;
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// The tags that each number stands in.
std::map<std::string, std::vector<const StrongTag*>> tags_by_number(const TaggedText& text) {
  std::map<std::string, std::vector<const StrongTag*>> tags;
  for (const StrongTag& tag : text.tags)
    for (const std::string& number : std::set(tag.numbers.begin(), tag.numbers.end())) tags[number].push_back(&tag);
  return tags;
}

/// A sentence of training and one of another part are never the same.
void choose_parts(VersePairs& all, const Shares& shares) {
  std::set<std::string> learnt;
  for (VersePair& pair : all.pairs) {
    pair.part = part_of(joined(pair.source.words), shares);
    if (pair.part == Part::training) learnt.insert(joined(pair.target.words));
  }
  all.repeated += std::erase_if(
      all.pairs, [&](const VersePair& pair) { return pair.part != Part::training && learnt.contains(joined(pair.target.words)); });
}

}  // namespace

TaggedText read_tagged_text(std::string_view markup) {
  TaggedText text;
  std::optional<StrongTag> open;
  std::size_t hidden = 0;  // how many elements are open whose text is none of the verse's
  while (const auto piece = next_markup(markup)) {
    if (piece->name.empty()) {
      if (hidden == 0) add_words(without_entities(piece->text), text.words);
      continue;
    }
    if (piece->name == "chapter" && piece->attribute("eID")) break;
    if (piece->is_whole) continue;
    if (piece->name == "note" || piece->name == "title" || piece->name == "speaker")
      hidden = piece->is_end ? hidden - std::min<std::size_t>(hidden, 1) : hidden + 1;
    if (piece->name != "w" || hidden > 0) continue;
    if (!piece->is_end) {
      open = StrongTag{text.words.size(), 0, numbers_of(piece->attribute("lemma").value_or(""))};
    } else if (open) {
      open->end = text.words.size();
      if (open->end > open->begin && !open->numbers.empty()) text.tags.push_back(*open);
      open.reset();
    }
  }
  return text;
}

std::vector<GoldLink> gold_links(const TaggedText& source, const TaggedText& target) {
  std::vector<GoldLink> links;
  const auto sources = tags_by_number(source);
  for (const auto& [number, tags] : tags_by_number(target)) {
    const auto found = sources.find(number);
    if (tags.size() != 1 || found == sources.end() || found->second.size() != 1) continue;
    const StrongTag& from = *found->second.front();
    links.push_back({number, from.begin, from.end, tags.front()->begin, tags.front()->end});
  }
  std::ranges::stable_sort(links, {}, &GoldLink::target_begin);
  return links;
}

VersePairs load_verses(const fs::path& data_folder, const VerseOptions& options) {
  for (const char* name : {spanish, english})
    if (!has_folder(data_folder, fmt::format("sword/modules/texts/ztext/{}", name).c_str())) return make_verse_stand_in();
  const SwordModule from = read_sword_module(data_folder / "sword", spanish);
  const SwordModule to = read_sword_module(data_folder / "sword", english);
  std::map<std::pair<std::string, int>, const SwordVerse*> verses;
  for (const SwordVerse& verse : to.verses) verses.emplace(std::pair(verse.chapter, verse.verse), &verse);

  VersePairs all;
  all.real = true;
  for (const SwordVerse& verse : from.verses) {
    const auto found = verses.find({verse.chapter, verse.verse});
    if (found == verses.end()) continue;
    VersePair pair{verse.chapter, verse.verse, read_tagged_text(verse.markup), read_tagged_text(found->second->markup), {}};
    if (pair.source.words.empty() || pair.target.words.empty()) continue;
    ++all.aligned;
    if (pair.source.words.size() > options.most_source_words || pair.target.words.size() > options.most_target_words)
      ++all.too_long;
    else
      all.pairs.push_back(std::move(pair));
  }
  choose_parts(all, options.shares);
  return all;
}

VersePairs make_verse_stand_in(std::size_t count) {
  constexpr std::array<const char*, 12> things{"casa", "mesa", "luna", "gata", "rosa", "barca", "torre", "fuente", "puerta", "hoja", "nube", "calle"};
  constexpr std::array<const char*, 12> thing_words{"house", "table", "moon", "cat", "rose", "boat", "tower", "well", "door", "leaf", "cloud", "street"};
  constexpr std::array<const char*, 8> qualities{"blanca", "negra", "nueva", "vieja", "alta", "pequeña", "roja", "fría"};
  constexpr std::array<const char*, 8> quality_words{"white", "black", "new", "old", "high", "small", "red", "cold"};
  constexpr std::array<const char*, 6> acts{"ve", "busca", "pinta", "guarda", "olvida", "toca"};
  constexpr std::array<const char*, 6> act_words{"sees", "seeks", "paints", "keeps", "forgets", "touches"};
  VersePairs all;
  numerics::Random random(1);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random.bits() % n); };
  const auto put = [](TaggedText& text, const char* word, char kind, std::size_t number) {
    text.words.emplace_back(word);
    if (kind != ' ') text.tags.push_back({text.words.size() - 1, text.words.size(), {fmt::format("H{}{}", kind - '0', number + 1)}});
  };
  for (std::size_t i = 0; i < count; ++i) {
    VersePair pair;
    pair.chapter = "Made.1";
    pair.verse = static_cast<int>(i) + 1;
    for (int phrase = 0; phrase < 2; ++phrase) {
      const std::size_t thing = below(things.size());
      const std::size_t quality = below(qualities.size());
      const std::size_t act = below(acts.size());
      const bool has_quality = below(2) == 0;
      put(pair.source, "la", ' ', 0);
      put(pair.source, things[thing], '1', thing);
      if (has_quality) put(pair.source, qualities[quality], '2', quality);
      put(pair.target, "the", ' ', 0);
      if (has_quality) put(pair.target, quality_words[quality], '2', quality);
      put(pair.target, thing_words[thing], '1', thing);
      if (phrase > 0) break;
      put(pair.source, acts[act], '3', act);
      put(pair.target, act_words[act], '3', act);
    }
    all.pairs.push_back(std::move(pair));
  }
  all.aligned = all.pairs.size();
  choose_parts(all, VerseOptions{}.shares);
  return all;
}

}  // namespace attention::datasets
