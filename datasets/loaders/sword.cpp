#include "loaders/sword.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "loaders/markup.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::datasets {
namespace {

using program::one_line;
using program::UserError;
namespace fs = std::filesystem;

constexpr std::uint64_t largest_conf = 1'000'000;
constexpr std::uint64_t largest_module = 100'000'000;
constexpr std::uint64_t best_ratio = 1032;  // zlib's documented limit of deflate
constexpr std::size_t largest_block = 20'000'000;  // a book unpacked; the largest known is below 2 MB
constexpr std::size_t block_bytes = 12;
constexpr std::size_t entry_bytes = 10;

/// The fields of a conf that stand alone on their line, the first of each name.
std::map<std::string, std::string, std::less<>> read_conf(const fs::path& file) {
  const std::string text = program::read_text(file, largest_conf);
  std::map<std::string, std::string, std::less<>> fields;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || equals == line.npos) continue;
    fields.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return fields;
}

/// A little-endian number of the file's.
template <class Number>
Number number_at(std::string_view bytes, std::size_t place) {
  Number number{};
  for (std::size_t i = 0; i < sizeof number; ++i)
    number = static_cast<Number>(number | static_cast<Number>(static_cast<unsigned char>(bytes[place + i])) << (8 * i));
  return number;
}

/// The blocks and entries of one testament.
class Testament {
 public:
  /// `base`: the files' place without their endings.
  explicit Testament(const fs::path& base)
      : blocks_file_(base.string() + ".bzs"), entries_file_(base.string() + ".bzv"), packed_file_(base.string() + ".bzz") {
    blocks_ = table(blocks_file_, block_bytes);
    entries_ = table(entries_file_, entry_bytes);
    packed_ = program::read_text(packed_file_, largest_module);
  }

  std::size_t size() const { return entries_.size() / entry_bytes; }

  /// The markup of an entry, empty where the text lacks it; valid until the next call.
  std::string_view entry(std::size_t i) {
    const auto block = number_at<std::uint32_t>(entries_, i * entry_bytes);
    const auto place = number_at<std::uint32_t>(entries_, i * entry_bytes + 4);
    const auto length = number_at<std::uint16_t>(entries_, i * entry_bytes + 8);
    if (length == 0) return {};
    if (block >= blocks_.size() / block_bytes)
      refuse(entries_file_, "entry {} is in block {}, there are {}", i, block, blocks_.size() / block_bytes);
    const std::string& text = unpacked(block);
    if (place > text.size() || length > text.size() - place)
      refuse(entries_file_, "entry {} has {} bytes from {} on, its block {} holds {}", i, length, place, block, text.size());
    return std::string_view(text).substr(place, length);
  }

 private:
  template <class... Args>
  [[noreturn]] static void refuse(const std::string& file, fmt::format_string<Args...> format, Args&&... args) {
    throw UserError(fmt::format("{}: {}; fetch it again", one_line(file), fmt::format(format, std::forward<Args>(args)...)));
  }

  static std::string table(const std::string& file, std::size_t record) {
    std::string bytes = program::read_text(file, largest_module);
    if (bytes.empty() || bytes.size() % record != 0)
      refuse(file, "{} bytes, expected a multiple of {}: it is truncated", bytes.size(), record);
    return bytes;
  }

  const std::string& unpacked(std::uint32_t block) {
    if (block == unpacked_block_) return unpacked_;
    const std::size_t at = block * block_bytes;
    const auto begin = number_at<std::uint32_t>(blocks_, at);
    const std::uint64_t size = number_at<std::uint32_t>(blocks_, at + 4);
    const auto plain = number_at<std::uint32_t>(blocks_, at + 8);
    if (begin > packed_.size() || size > packed_.size() - begin)
      refuse(packed_file_, "block {} has {} bytes from {} on, the file holds {}: it is truncated", block, size, begin, packed_.size());
    if (plain > largest_block || plain > (size + 16) * best_ratio) refuse(blocks_file_, "block {} unpacks to {} bytes, more than its {} packed ones can hold", block, plain, size);
    std::string text(plain, '\0');
    uLongf found = plain;
    const int status = ::uncompress(reinterpret_cast<Bytef*>(text.data()), &found,
                                    reinterpret_cast<const Bytef*>(packed_.data() + begin), static_cast<uLong>(size));
    if (status != Z_OK) refuse(packed_file_, "block {} cannot be unpacked ({})", block, ::zError(status));
    if (found != plain) refuse(packed_file_, "block {} unpacks to {} bytes, expected {}", block, found, plain);
    unpacked_ = std::move(text);
    unpacked_block_ = block;
    return unpacked_;
  }

  std::string blocks_file_;
  std::string entries_file_;
  std::string packed_file_;
  std::string blocks_;
  std::string entries_;
  std::string packed_;
  std::string unpacked_;  ///< the block read last: entries follow each other
  std::optional<std::uint32_t> unpacked_block_;
};

/// What an entry's markup begins.
struct Heading {
  bool has_book = false;
  std::size_t chapters = 0;
  std::string chapter;  ///< the last of them
};

Heading heading_of(std::string_view markup) {
  Heading heading;
  while (const auto piece = next_markup(markup)) {
    // An end has the attribute eID in the place of sID.
    if (!piece->attribute("sID")) continue;
    if (piece->name == "div" && piece->attribute("type") == "book") heading.has_book = true;
    if (piece->name == "chapter" && piece->attribute("osisID")) {
      ++heading.chapters;
      heading.chapter = *piece->attribute("osisID");
    }
  }
  return heading;
}

void add_verses(Testament testament, std::vector<SwordVerse>& verses) {
  std::string chapter;  // empty: none, and what follows belongs to no chapter
  int verse = 0;
  for (std::size_t i = 0; i < testament.size(); ++i) {
    const std::string_view markup = testament.entry(i);
    const Heading heading = heading_of(markup);
    if (heading.has_book || heading.chapters > 0) {
      chapter = heading.chapters == 1 ? heading.chapter : "";
      verse = 0;
      continue;
    }
    ++verse;
    if (!chapter.empty() && !markup.empty()) verses.push_back({chapter, verse, std::string(markup)});
  }
}

}  // namespace

SwordModule read_sword_module(const fs::path& sword_folder, const std::string& name) {
  const fs::path conf = sword_folder / "mods.d" / (name + ".conf");
  const auto fields = read_conf(conf);
  const auto field = [&](std::string_view key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string() : found->second;
  };
  constexpr std::pair<std::string_view, std::string_view> expected[] = {
      {"ModDrv", "zText"}, {"SourceType", "OSIS"}, {"Encoding", "UTF-8"}, {"CompressType", "ZIP"}};
  for (const auto& [key, value] : expected)
    if (field(key) != value)
      throw UserError(fmt::format("{}: {} is '{}', expected '{}'", one_line(conf.string()), key, one_line(field(key), 40), value));
  const std::string place = field("DataPath");
  const fs::path inside = fs::path(place).lexically_normal();
  if (place.empty() || inside.is_absolute() || *inside.begin() == "..")
    throw UserError(fmt::format("{}: DataPath is '{}', expected a folder inside of {}", one_line(conf.string()), one_line(place, 80),
                                one_line(sword_folder.string())));
  SwordModule module{name, field("Description"), field("Lang"), {}};
  for (const char* testament : {"ot", "nt"}) add_verses(Testament(sword_folder / inside / testament), module.verses);
  if (module.verses.empty()) throw UserError(fmt::format("{}: its module holds no verse; fetch it again", one_line(conf.string())));
  return module;
}

}  // namespace attention::datasets
