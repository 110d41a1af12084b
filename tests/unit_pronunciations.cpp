#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "loaders/pronunciations.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention::tests;
using namespace attention::datasets;

const std::string good =
    "'bout B AW T\n"
    "a AH\n"
    "a(2) EY\n"
    "a.m. EY EH M\n"
    "a.m.(2) EY EH M\n"
    "able-bodied EY B AH L B AA D IY D\n"
    "cat K AE T\n"
    "either IY DH ER\n"
    "either(2) AY DH ER\n"
    "either(3) IY DH ER\n";

struct Folder {
  Folder() { fs::create_directories((data / "pocketsphinx/model/en-us")); }
  Pronunciations read(const std::string& bytes) const {
    put(data / "pocketsphinx/model/en-us/cmudict-en-us.dict", bytes);
    return load_pronunciations(data.path());
  }
  std::string told(const std::string& bytes) const {
    return refusal([&] { read(bytes); });
  }
  Scratch data;
};

TEST_CASE("pronunciations are gathered under their word", "[unit]") {
  const Folder folder;
  const Pronunciations found = folder.read(good);
  CHECK(found.real);
  REQUIRE(found.words.size() == 4);
  CHECK(found.words[0].word == "'bout");
  CHECK(spoken_text(found.words[0].spoken[0]) == "B AW T");
  CHECK(found.words[1].word == "a");
  REQUIRE(found.words[1].spoken.size() == 2);
  CHECK(spoken_text(found.words[1].spoken[1]) == "EY");
  CHECK(found.words[3].word == "either");
  CHECK(found.words[3].spoken.size() == 2);  // one stands there twice
  CHECK(found.left_out == 2);                // a.m. and able-bodied
  CHECK(found.of(Part::training).size() + found.of(Part::validation).size() + found.of(Part::test).size() == 4);
}

TEST_CASE("the part of a word follows from its spelling alone", "[unit]") {
  const Folder folder;
  const Pronunciations some = folder.read("cat K AE T\ndog D AO G\n");
  const Pronunciations turned = folder.read("dog D AO G\nzebra Z IY B R AH\ncat K AE T\n");
  CHECK(some.words[0].part == turned.words[2].part);
  CHECK(some.words[1].part == turned.words[0].part);
  for (const Pronunciation& word : make_pronunciation_stand_in(500).words) CHECK(word.part == part_of(word.word, pronunciation_shares));
  // Pinned: another split would make every figure measured on it another figure.
  CHECK(part_of("attention", pronunciation_shares) == Part::training);
  CHECK(part_of("aachen", {0, 1}) == Part::test);
  CHECK(part_of("aachen", {1, 0}) == Part::validation);
}

TEST_CASE("a damaged dictionary is refused in one line that names file and line", "[unit]") {
  const Folder folder;
  const auto told = [&](const std::string& line) { return folder.told(good + line); };
  CHECK(folder.told(good) == "accepted");
  CHECK(says(folder.told(""), {"cmudict-en-us.dict", "no words"}));
  CHECK(says(told("dog\n"), {"cmudict-en-us.dict: line 11:", "'dog' has no phonemes"}));
  CHECK(says(told("\n"), {"line 11", "no word"}));
  CHECK(says(told(" D AO G\n"), {"line 11", "no word"}));
  CHECK(says(told("dog \n"), {"line 11", "'' of 'dog' is no phoneme"}));
  CHECK(says(told("dog D  G\n"), {"line 11", "'' of 'dog' is no phoneme"}));
  CHECK(says(told("dog D XX G\n"), {"line 11", "'XX' of 'dog' is no phoneme"}));
  CHECK(says(told("dog D AO1 G\n"), {"'AO1' of 'dog' is no phoneme"}));
  CHECK(says(told("dog D AO G\r\n"), {"line 11", "control character"}));
  CHECK(says(told(std::string("d\0g D AO G\n", 11)), {"line 11", "control character"}));
  CHECK(says(told("\x7f" "ELF\x02 D\n"), {"line 11", "control character"}));
  CHECK(says(told("dog D AO G"), {"line 11", "truncated"}));
  CHECK(says(told("dog" + std::string(80, 'g') + std::string(150, ' ') + "\n"), {"line 11", "bytes, expected at most 200"}));
  CHECK(says(told("cat K AE T\n"), {"line 11", "pronunciation 1 of 'cat', of which 1 stand before"}));
  CHECK(says(told("cat(3) K AE T\n"), {"line 11", "pronunciation 3 of 'cat', of which 1 stand before"}));
  CHECK(says(told("dog(2) D AO G\n"), {"line 11", "pronunciation 2 of 'dog', of which 0 stand before"}));
  for (const char* word : {"dog(", "dog(x)", "dog()", "dog(1)", "dog(2", "dog(2)x", "(2)", "dog(-2)", "dog(99999999999999999999)"})
    CHECK(says(told(std::string(word) + " D AO G\n"), {"line 11", word, "expected a word"}));
  CHECK(says(folder.told("\x80\xff D\n"), {"no words"}));  // bytes that are no letters: a word left out
  for (std::size_t length = 0; length < good.size(); ++length)
    if (length == 0 || good[length - 1] != '\n') CHECK(folder.told(good.substr(0, length)) != "accepted");
  fs::remove(folder.data / "pocketsphinx/model/en-us/cmudict-en-us.dict");
  CHECK(says(refusal([&] { load_pronunciations(folder.data.path()); }), {"cannot open", "cmudict-en-us.dict"}));
}

TEST_CASE("without the dictionary there is a stand-in that says so", "[unit]") {
  const Scratch data;
  const Pronunciations stand_in = load_pronunciations(data.path());
  CHECK_FALSE(stand_in.real);
  CHECK(stand_in.words.size() == 6'000);
  CHECK(stand_in.of(Part::test).size() > 300);
  std::set<std::string> words;
  for (const Pronunciation& word : stand_in.words) {
    words.insert(word.word);
    CHECK(spell(word.word).size() == word.word.size());
    REQUIRE(word.spoken.size() == 1);
    CHECK_FALSE(spoken_text(word.spoken[0]).empty());
  }
  CHECK(words.size() == stand_in.words.size());
  put(data / "pocketsphinx", "");
  CHECK(says(refusal([&] { load_pronunciations(data.path()); }), {"not a folder"}));
}

TEST_CASE("a word of the user is spelled in numbers or refused", "[unit]") {
  CHECK(spell("'az") == std::vector<int>{0, 1, 26});
  CHECK(spell("Cat") == spell("cat"));
  CHECK(says(refusal([] { spell(""); }), {"empty"}));
  CHECK(says(refusal([] { spell("two words"); }), {"'two words'", "a to z"}));
  CHECK(says(refusal([] { spell("ni\u00f1o"); }), {"a to z"}));
  CHECK(says(refusal([] { spell(std::string(41, 'a')); }), {"41 letters", "40"}));
  CHECK_THROWS_AS(spoken_text({39}), std::out_of_range);
}

TEST_CASE("the real dictionary, where it is", "[unit]") {
  const fs::path data = fs::path(ATTENTION_SOURCE_DIR) / "datasets/data";
  if (!fs::exists(data / "pocketsphinx")) {
    WARN("left out: the CMU dictionary is not in datasets/data; ./course data fetches it");
    return;
  }
  const Pronunciations all = load_pronunciations(data);
  CHECK(all.real);
  CHECK(all.words.size() == 124'804);
  CHECK(all.left_out == 1'141);
  CHECK(all.of(Part::validation).size() == 4'941);
  CHECK(all.of(Part::test).size() == 10'048);
  const auto word = std::ranges::find(all.words, "attention", &Pronunciation::word);
  REQUIRE(word != all.words.end());
  CHECK(spoken_text(word->spoken[0]) == "AH T EH N SH AH N");
}

}  // namespace
