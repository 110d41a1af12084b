#include "loaders/glosses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "loaders/byte_source.hpp"
#include "loaders/folder.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::datasets {
namespace {

using program::one_line;
using program::UserError;
namespace fs = std::filesystem;

/// The number of the first class of nouns in WordNet's list of files (lexnames(5WN)).
constexpr int first_class = 3;

const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names{
      "Tops",   "act",      "animal", "artifact", "attribute", "body",   "cognition",  "communication", "event",
      "feeling", "food",    "group",  "location", "motive",    "object", "person",     "phenomenon",    "plant",
      "possession", "process", "quantity", "relation", "shape", "state", "substance", "time"};
  return names;
}

std::string read_all(const fs::path& file) {
  ByteSource source(file);
  std::string text;
  constexpr std::size_t part = 1 << 20;
  for (std::size_t found = part; found == part;) {
    text.resize(text.size() + part);
    found = source.read(text.data() + text.size() - part, part);
    text.resize(text.size() - part + found);
  }
  return text;
}

/// One line of data.noun and where it stands.
class Line {
 public:
  Line(const std::string& file, std::size_t number, std::string_view text) : file_(file), number_(number), rest_(text) {}

  [[noreturn]] void refuse(const std::string& what) const {
    throw UserError(fmt::format("{}:{}: {}", one_line(file_), number_, what));
  }

  /// The next word, without the space after it.
  std::string_view word(std::string_view what) {
    const auto space = rest_.find(' ');
    if (space == 0 || space == std::string_view::npos) refuse(fmt::format("{} is missing", what));
    const std::string_view word = rest_.substr(0, space);
    rest_.remove_prefix(space + 1);
    return word;
  }

  std::size_t number(std::string_view what, std::size_t digits, int base, std::size_t least, std::size_t most) {
    const std::string_view text = word(what);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.size() != digits || error != std::errc{} || end != text.data() + text.size())
      refuse(fmt::format("{} is '{}', expected a number of {} digits", what, one_line(text, 20), digits));
    if (value < least || value > most) refuse(fmt::format("{} is {}, expected {} to {}", what, value, least, most));
    return value;
  }

  std::string_view rest() const { return rest_; }

 private:
  const std::string& file_;
  std::size_t number_;
  std::string_view rest_;
};

Gloss parse(Line line, std::size_t begins_at) {
  const std::size_t offset = line.number("offset", 8, 10, 0, 99'999'999);
  if (offset != begins_at) line.refuse(fmt::format("offset is {}, but the line begins at byte {}", offset, begins_at));
  Gloss gloss;
  gloss.word_class = static_cast<int>(line.number("class", 2, 10, first_class, first_class + class_names().size() - 1)) - first_class;
  if (const std::string_view type = line.word("type"); type != "n") line.refuse(fmt::format("type is '{}', expected 'n'", one_line(type, 20)));
  const std::size_t count = line.number("count of words", 2, 16, 1, 255);
  for (std::size_t i = 0; i < count; ++i) {
    gloss.words.emplace_back(line.word("word"));
    line.number("number of the word's sense", 1, 16, 0, 15);
  }
  const std::size_t pointers = line.number("count of pointers", 3, 10, 0, 999);
  for (std::size_t i = 0; i < pointers; ++i)
    for (const char* part : {"pointer", "pointer's offset", "pointer's type", "pointer's source and target"}) line.word(part);
  std::string_view text = line.rest();
  if (!text.starts_with("| ")) line.refuse(fmt::format("expected '| ' and the gloss after {} pointers, found '{}'", pointers, one_line(text, 20)));
  text.remove_prefix(2);
  while (text.ends_with(' ')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty()) line.refuse("the gloss is empty");
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; })) line.refuse("the gloss holds a control character");
  gloss.text = text;
  return gloss;
}

}  // namespace

Glosses load_glosses(const fs::path& data_folder) {
  if (!has_folder(data_folder, "wordnet")) return make_gloss_stand_in();
  const std::string file = (data_folder / "wordnet/data.noun").string();
  const std::string text = read_all(file);
  Glosses all;
  all.class_names = class_names();
  all.real = true;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    ++number;
    const std::size_t end = text.find('\n', begin);
    const std::string_view line = std::string_view(text).substr(begin, end == std::string::npos ? end : end - begin);
    if (end == std::string::npos) Line(file, number, line).refuse("the last line has no end: the file is truncated");
    // The licence stands at the beginning, in lines that begin with two spaces.
    if (!line.starts_with("  ") || !all.glosses.empty()) all.glosses.push_back(parse(Line(file, number, line), begin));
    begin = end + 1;
  }
  if (all.glosses.empty()) throw UserError(fmt::format("{}: no nouns; the file is truncated", one_line(file)));
  return all;
}

Glosses make_gloss_stand_in(std::size_t count) {
  Glosses all;
  all.class_names = class_names();
  all.real = false;
  numerics::Random random(1);
  const auto pick = [&random](const auto& list) { return std::string(list[random.bits() % std::size(list)]); };
  constexpr const char* qualities[] = {"small", "large", "round", "old", "common", "rare", "wooden", "coloured", "hollow", "soft"};
  constexpr const char* things[] = {"thing", "object", "body", "part", "group", "kind", "piece", "place", "state", "amount"};
  constexpr const char* verbs[] = {"lives in", "grows near", "is found in", "is made from", "moves through", "belongs to"};
  constexpr const char* places[] = {"water", "forests", "houses", "mountains", "gardens", "cities", "the sea", "the air"};
  for (std::size_t i = 0; i < count; ++i) {
    Gloss gloss;
    gloss.word_class = static_cast<int>(random.bits() % all.class_names.size());
    gloss.words = {fmt::format("noun{}", i)};
    const std::string thing = pick(things);
    gloss.text = fmt::format("a {} {} {} that {} {}; a {} with {} {}s", pick(qualities), pick(qualities), thing, pick(verbs),
                             pick(places), thing, pick(qualities), pick(things));
    all.glosses.push_back(std::move(gloss));
  }
  return all;
}

}  // namespace attention::datasets
