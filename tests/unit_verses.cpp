#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "loaders/markup.hpp"
#include "loaders/sword.hpp"
#include "loaders/verses.hpp"
#include "loaders/vocabulary.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention::tests;
using namespace attention::datasets;

std::string little_endian(std::size_t number, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 0xFF);
  return text;
}

std::string packed(const std::string& text) {
  uLongf size = ::compressBound(text.size());
  std::string bytes(size, '\0');
  REQUIRE(::compress(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size()) == Z_OK);
  bytes.resize(size);
  return bytes;
}

/// The three files of a testament, each block a book.
struct Files {
  std::string blocks, entries, data;

  void add(const std::vector<std::string>& book) {
    const std::size_t number = blocks.size() / 12;
    std::string text;
    for (const std::string& entry : book) {
      entries += little_endian(number, 4) + little_endian(text.size(), 4) + little_endian(entry.size(), 2);
      text += entry;
    }
    const std::string bytes = packed(text);
    blocks += little_endian(data.size(), 4) + little_endian(bytes.size(), 4) + little_endian(text.size(), 4);
    data += bytes;
  }
};

std::string book(const std::string& name) { return "<div canonical=\"true\" osisID=\"" + name + "\" sID=\"g1\" type=\"book\"/> <title>A book</title>"; }
std::string chapter(const std::string& name) { return "<chapter n=\"1\" osisID=\"" + name + "\" sID=\"" + name + "\"/>"; }
std::string word(const std::string& number, const std::string& text) { return "<w lemma=\"strong:" + number + "\">" + text + "</w>"; }

const std::string conf =
    "[mod]\n# a word\nDescription=A text\nDataPath=./modules/texts/ztext/mod/\nModDrv=zText\nSourceType=OSIS\nEncoding=UTF-8\n"
    "CompressType=ZIP\nBlockType=BOOK\nLang=es\n";

Files old_testament() {
  Files files;
  files.add({"", "<milestone type=\"x-importer\"/>", book("Gen"), chapter("Gen.1"), word("H7225", "EN el principio") + ".",
             word("H0430", "Dios") + " dijo", "", chapter("Gen.2"), "solo <chapter eID=\"Gen.2\"/><div eID=\"g1\" type=\"book\"/> despu\u00e9s"});
  // Chapters without places of their own; then a book whose heading lacks its name.
  files.add({book("DanGr") + chapter("DanGr.1") + chapter("DanGr.2"), "lost", chapter("Hos.1"), "tierra"});
  return files;
}

Files new_testament() {
  Files files;
  files.add({"", book("Matt"), chapter("Matt.1"), word("G2424 G5547", "de Jesucristo")});
  return files;
}

/// A module on the disk.
struct Module {
  explicit Module(const std::string& called = "mod") : folder(root / "sword/modules/texts/ztext" / called), name(called) {
    fs::create_directories(folder);
    fs::create_directories((root / "sword/mods.d"));
    put_conf(conf);
    put_files("ot", old_testament());
    put_files("nt", new_testament());
  }
  void put_conf(const std::string& text) const { put(root / ("sword/mods.d/" + name + ".conf"), text); }
  void put_files(const std::string& testament, const Files& files) const {
    put(folder / (testament + ".bzs"), files.blocks);
    put(folder / (testament + ".bzv"), files.entries);
    put(folder / (testament + ".bzz"), files.data);
  }
  std::string told(const Files& files) const {
    put_files("ot", files);
    return refusal([&] { read_sword_module(root / "sword", name); });
  }
  Scratch root;
  fs::path folder;
  std::string name;
};

TEST_CASE("a SWORD module gives its verses by chapter and number", "[unit]") {
  const Module on_disk;
  const SwordModule module = read_sword_module(on_disk.root / "sword", "mod");
  CHECK(module.title == "A text");
  CHECK(module.language == "es");
  REQUIRE(module.verses.size() == 5);
  CHECK(module.verses[0].chapter == "Gen.1");
  CHECK(module.verses[0].verse == 1);
  CHECK(module.verses[0].markup == word("H7225", "EN el principio") + ".");
  CHECK(module.verses[1].verse == 2);
  CHECK(module.verses[2].chapter == "Gen.2");  // Gen.1 has an empty third verse
  CHECK(module.verses[2].verse == 1);
  CHECK(module.verses[3].chapter == "Hos.1");  // not "lost"
  CHECK(module.verses[3].markup == "tierra");
  CHECK(module.verses[4].chapter == "Matt.1");
}

TEST_CASE("a damaged SWORD module is refused in one line that names the file", "[unit]") {
  const Module module;
  const auto conf_told = [&](const std::string& from, const std::string& to) {
    std::string text = conf;
    text.replace(text.find(from), from.size(), to);
    module.put_conf(text);
    const std::string line = refusal([&] { read_sword_module(module.root / "sword", "mod"); });
    module.put_conf(conf);
    return line;
  };
  CHECK(says(conf_told("zText", "RawText"), {"mod.conf", "ModDrv is 'RawText', expected 'zText'"}));
  CHECK(says(conf_told("SourceType=OSIS\n", ""), {"SourceType is '', expected 'OSIS'"}));
  CHECK(says(conf_told("UTF-8", "Latin-1"), {"Encoding is 'Latin-1'"}));
  CHECK(says(conf_told("ZIP", "LZSS"), {"CompressType is 'LZSS'"}));
  for (const char* path : {"", "/etc", "../other", "./a/../../b"}) CHECK(says(conf_told("./modules/texts/ztext/mod/", path), {"DataPath is", "inside of"}));
  CHECK(says(conf_told("ztext/mod", "ztext/none"), {"cannot open", "ot.bzs"}));
  CHECK(says(refusal([&] { read_sword_module(module.root / "sword", "none"); }), {"cannot open", "none.conf"}));

  const Files good = old_testament();
  const auto changed = [&](auto change) {
    Files files = good;
    change(files);
    return module.told(files);
  };
  CHECK(module.told(good) == "accepted");
  CHECK(says(changed([](Files& f) { f.blocks = ""; }), {"ot.bzs", "0 bytes", "truncated"}));
  CHECK(says(changed([](Files& f) { f.blocks.pop_back(); }), {"ot.bzs", "23 bytes, expected a multiple of 12"}));
  CHECK(says(changed([](Files& f) { f.entries.pop_back(); }), {"ot.bzv", "expected a multiple of 10"}));
  CHECK(says(changed([](Files& f) { f.data.pop_back(); }), {"ot.bzz", "block 1", "truncated"}));
  CHECK(says(changed([](Files& f) { f.data = ""; }), {"ot.bzz", "block 0"}));
  CHECK(says(changed([](Files& f) { f.data[5] = static_cast<char>(f.data[5] ^ 0x10); }), {"ot.bzz", "block 0 cannot be unpacked"}));
  CHECK(says(changed([](Files& f) { f.blocks.replace(0, 4, "\xff\xff\xff\xff"); }), {"ot.bzz", "4294967295"}));
  CHECK(says(changed([](Files& f) { f.blocks.replace(8, 4, "\xff\xff\xff\xff"); }), {"ot.bzs", "4294967295", "can hold"}));
  CHECK(says(changed([](Files& f) { ++f.blocks[8]; }), {"ot.bzz", "block 0 unpacks to", "expected"}));
  CHECK(says(changed([](Files& f) { --f.blocks[8]; }), {"ot.bzz", "block 0 cannot be unpacked"}));
  CHECK(says(changed([](Files& f) { f.entries.replace(10, 4, std::string("\x07\0\0\0", 4)); }), {"ot.bzv", "entry 1 is in block 7, there are 2"}));
  CHECK(says(changed([](Files& f) { f.entries.replace(14, 4, "\xff\xff\xff\xff"); }), {"ot.bzv", "entry 1 has", "from 4294967295"}));
  CHECK(says(changed([](Files& f) { f.entries.replace(18, 2, "\xff\xff"); }), {"ot.bzv", "entry 1 has 65535 bytes"}));
  module.put_files("nt", {little_endian(0, 12), little_endian(0, 10), ""});
  CHECK(says(module.told({little_endian(0, 12), little_endian(0, 10), ""}), {"mod.conf", "no verse"}));

  // No flipped bit does harm: refused in one line, or read. Of the packed text, which has a sum, only filling bits may change.
  module.put_files("nt", new_testament());
  module.put_files("ot", good);
  const std::vector<SwordVerse> untouched = read_sword_module(module.root / "sword", "mod").verses;
  for (std::size_t at = 0; at < good.blocks.size() + good.entries.size() + good.data.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Files files = good;
      std::string& part = at < files.blocks.size() ? files.blocks : at < files.blocks.size() + files.entries.size() ? files.entries : files.data;
      const std::size_t place = at < good.blocks.size() ? at : at < good.blocks.size() + good.entries.size() ? at - good.blocks.size() : at - good.blocks.size() - good.entries.size();
      part[place] = static_cast<char>(part[place] ^ 1 << bit);
      const std::string line = module.told(files);
      CHECK((line == "accepted" || says(line, {"ot.bz"})));
      if (&part == &files.data && line == "accepted")
        CHECK(std::ranges::equal(read_sword_module(module.root / "sword", "mod").verses, untouched, {}, &SwordVerse::markup, &SwordVerse::markup));
    }
  }
}

TEST_CASE("markup is taken apart", "[unit]") {
  std::string_view rest = "a<w lemma=\"strong:H1\" n=\"x y\">b</w><lb/>c<d";
  std::vector<Markup> pieces;
  while (const auto piece = next_markup(rest)) pieces.push_back(*piece);
  REQUIRE(pieces.size() == 7);
  CHECK(pieces[0].text == "a");
  CHECK(pieces[1].name == "w");
  CHECK(pieces[1].attribute("lemma") == "strong:H1");
  CHECK(pieces[1].attribute("n") == "x y");
  CHECK_FALSE(pieces[1].attribute("lem"));
  CHECK_FALSE(pieces[1].attribute("x"));
  CHECK(pieces[2].text == "b");
  CHECK(pieces[3].is_end);
  CHECK(pieces[3].name == "w");
  CHECK(pieces[4].is_whole);
  CHECK(pieces[4].name == "lb");
  CHECK(pieces[6].text == "<d");
  CHECK(without_entities("a &amp; b &lt;&gt; &quot;&apos; &x; &") == "a & b <> \"' &x; &");
  for (const char* broken : {"<>", "</>", "<w lemma>", "<w lemma=\">", "<w =\"a\">", "<", ">"}) {
    rest = broken;
    while (const auto piece = next_markup(rest)) CHECK_FALSE(piece->attribute("lemma"));
  }
}

TEST_CASE("a verse gives small words without punctuation, and what each translates", "[unit]") {
  const TaggedText text = read_tagged_text(
      word("H0776", "Y LA TIERRA") + ": \u00a1" + word("H1", "\u00d1and\u00fa") + "! <note>a note" + word("H9", "hidden") + "</note><title>t</title>" +
      "<q who=\"x\">" + word("G2424 G5547", "God\u2019s") + "</q>, don't \u2018so\u2019 Beth-el <w>x</w>" + word("H0", "y") + word("H12a", "z") + word("H3", "...") +
      "<transChange type=\"added\">es</transChange><chapter eID=\"Gen.1\"/> after");
  CHECK(text.words == std::vector<std::string>{"y", "la", "tierra", "\u00f1and\u00fa", "god's", "don't", "so", "beth", "el", "x", "y", "z", "es"});
  REQUIRE(text.tags.size() == 3);
  CHECK(text.tags[0].begin == 0);
  CHECK(text.tags[0].end == 3);
  CHECK(text.tags[0].numbers == std::vector<std::string>{"H776"});
  CHECK(text.tags[1].begin == 3);
  CHECK(text.tags[2].numbers == std::vector<std::string>{"G2424", "G5547"});
  CHECK(text.tags[2].begin == 4);
  CHECK(read_tagged_text("").words.empty());
  CHECK(read_tagged_text("\xff" "a\xc3").words == std::vector<std::string>{"a"});
  CHECK(read_tagged_text("</note>a</w><w lemma=\"strong:H1\">b").words == std::vector<std::string>{"a", "b"});
}

TEST_CASE("gold links are the numbers that stand once on both sides", "[unit]") {
  const auto source = read_tagged_text(word("H1", "la luz") + word("H2", "era buena") + word("H3", "y") + word("H3", "no") + word("H4 H5", "sola"));
  const auto target = read_tagged_text(word("H2", "good") + word("H1", "light") + word("H3", "and") + word("H5", "alone") + word("H6", "x"));
  const auto links = gold_links(source, target);
  REQUIRE(links.size() == 3);
  CHECK(links[0].number == "H2");
  CHECK(links[0].source_begin == 2);
  CHECK(links[0].source_end == 4);
  CHECK(links[0].target_begin == 0);
  CHECK(links[0].target_end == 1);
  CHECK(links[1].number == "H1");
  CHECK(links[1].source_begin == 0);
  CHECK(links[2].number == "H5");
  CHECK(gold_links(source, read_tagged_text(word("H1", "the") + word("H1", "light"))).empty());
  CHECK(gold_links({}, target).empty());
}

TEST_CASE("two modules are aligned by chapter and verse, cut by length and split by sentence", "[unit]") {
  const Module spanish("spaRV1909eb");
  const fs::path english = spanish.root / "sword/modules/texts/ztext/engWEB2015eb";
  CHECK_FALSE(load_verses(spanish.root.path()).real);  // one of the two is not enough
  fs::create_directory(english);
  const auto put_module = [&](const std::string& name, const std::vector<std::string>& verses) {
    Files files;
    std::vector<std::string> entries{book("Gen"), chapter("Gen.1")};
    entries.insert(entries.end(), verses.begin(), verses.end());
    files.add(entries);
    std::string text = conf;
    text.replace(text.find("ztext/mod"), 9, "ztext/" + name);
    put(spanish.root / ("sword/mods.d/" + name + ".conf"), text);
    for (const char* testament : {"ot", "nt"}) {
      const fs::path base = spanish.root / ("sword/modules/texts/ztext/" + name) / testament;
      put(base.string() + ".bzs", files.blocks);
      put(base.string() + ".bzv", files.entries);
      put(base.string() + ".bzz", files.data);
      files = {};
      files.add({"", "<milestone/>"});
    }
  };
  // The second verse is missing in English, the third has no words, the fourth is too long.
  put_module("spaRV1909eb", {"Y dijo.", "dos", "...", "uno dos tres cuatro", "y dijo", "cinco"});
  put_module("engWEB2015eb", {"And he said.", "", "three", "one two three four", "He said", "five"});
  VerseOptions options{3, 5, {0, 0}};
  const VersePairs found = load_verses(spanish.root.path(), options);
  CHECK(found.real);
  CHECK(found.aligned == 4);
  CHECK(found.too_long == 1);
  REQUIRE(found.pairs.size() == 3);
  CHECK(found.pairs[0].chapter == "Gen.1");
  CHECK(found.pairs[0].target.words == std::vector<std::string>{"and", "he", "said"});
  CHECK(found.pairs[2].verse == 6);
  CHECK(std::ranges::all_of(found.pairs, [](const VersePair& p) { return p.part == Part::training; }));

  // Many sentences with few translations: no source and no target of training is in another part.
  std::vector<std::string> from, to;
  for (int i = 0; i < 200; ++i) {
    from.push_back("palabra " + std::to_string(i % 100));
    to.push_back("word " + std::to_string(i % 50));
  }
  put_module("spaRV1909eb", from);
  put_module("engWEB2015eb", to);
  const VersePairs split = load_verses(spanish.root.path(), {3, 5, {0.2, 0.3}});
  std::set<std::vector<std::string>> sources, targets;
  for (const VersePair& pair : split.pairs)
    if (pair.part == Part::training) {
      sources.insert(pair.source.words);
      targets.insert(pair.target.words);
    }
  std::size_t others = 0;
  for (const VersePair& pair : split.pairs)
    if (pair.part != Part::training) {
      ++others;
      CHECK_FALSE(sources.contains(pair.source.words));
      CHECK_FALSE(targets.contains(pair.target.words));
    }
  CHECK(others > 10);
  CHECK(split.repeated > 10);
  CHECK(split.pairs.size() + split.repeated == 200);
}

TEST_CASE("without the modules there is a stand-in that says so, with links", "[unit]") {
  const Scratch data;
  const VersePairs stand_in = load_verses(data.path());
  CHECK_FALSE(stand_in.real);
  CHECK(stand_in.pairs.size() + stand_in.repeated == 4'000);
  CHECK(stand_in.pairs[7].source.words == make_verse_stand_in().pairs[7].source.words);
  std::size_t crossed = 0;
  for (const VersePair& pair : stand_in.pairs) {
    const auto links = gold_links(pair.source, pair.target);
    CHECK(links.size() >= 1);
    for (std::size_t i = 1; i < links.size(); ++i) crossed += links[i].source_begin < links[i - 1].source_begin ? 1 : 0;
  }
  CHECK(crossed > 1'000);
}

TEST_CASE("words are numbered by falling count", "[unit]") {
  Vocabulary::Counts counts;
  counts.add({"b", "a", "c", "b"});
  counts.add({"d", "c", "b"});
  const Vocabulary all(counts);
  CHECK(all.words() == std::vector<std::string>{"<padding>", "<unknown>", "<begin>", "<end>", "b", "c", "a", "d"});
  CHECK(all.coverage() == 1);
  const Vocabulary some(counts, 2);
  CHECK(some.size() == 6);
  CHECK(some.id("b") == Vocabulary::first_word);
  CHECK(some.id("a") == Vocabulary::unknown);
  CHECK(some.ids({"c", "x"}) == std::vector<int>{5, 1});
  CHECK(some.word(5) == "c");
  CHECK(std::abs(some.coverage() - 5.0 / 7) < 1e-15);
  CHECK_THROWS_AS(some.word(6), std::out_of_range);
  CHECK_THROWS_AS(some.word(-1), std::out_of_range);
  CHECK(Vocabulary(Vocabulary::Counts{}).size() == 4);
}

TEST_CASE("the real verses, where they are", "[unit]") {
  const fs::path data = fs::path(ATTENTION_SOURCE_DIR) / "datasets/data";
  if (!fs::exists(data / "sword")) {
    WARN("left out: the verses are not in datasets/data; ./course data fetches them");
    return;
  }
  const VersePairs all = load_verses(data);
  CHECK(all.real);
  CHECK(all.aligned == 31'077);
  CHECK(all.pairs.size() == 3'557);
  // The last verses of a long, a one-chapter and the last book are where every Bible has them.
  const auto has = [&](const char* chapter, int verse, const char* number) {
    VerseOptions options{500, 500, {0, 0}};
    static const VersePairs whole = load_verses(data, options);
    const auto pair = std::ranges::find_if(whole.pairs, [&](const VersePair& p) { return p.chapter == chapter && p.verse == verse; });
    if (pair == whole.pairs.end()) return false;
    const auto links = gold_links(pair->source, pair->target);
    return std::ranges::any_of(links, [&](const GoldLink& link) { return link.number == number; });
  };
  CHECK(has("Gen.1", 1, "H7225"));    // the beginning
  CHECK(has("Ps.150", 6, "H5397"));   // breath
  CHECK(has("Mal.1", 1, "H4401"));    // Malachi
  CHECK(has("Heb.3", 19, "G570"));    // unbelief
  CHECK(has("Rev.22", 20, "G5035"));  // soon
}

}  // namespace
