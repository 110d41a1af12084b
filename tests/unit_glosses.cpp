#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "loaders/gloss_classes.hpp"
#include "loaders/glosses.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention::tests;
using namespace attention::datasets;

const std::string licence = "  1 This is a licence.  \n  2 It has two lines.  \n";

/// data.noun with these lines, each given without the number of its first byte.
std::string noun_file(std::initializer_list<std::string> lines) {
  std::string text = licence;
  for (const std::string& line : lines) {
    std::string offset = std::to_string(text.size());
    text += std::string(8 - offset.size(), '0') + offset + " " + line + "\n";
  }
  return text;
}

const std::string good_line = "05 n 02 dog 0 domestic_dog 1 001 @ 00001740 n 0000 | an animal that barks; \"the dog barked\"  ";

struct Folder {
  Folder() { fs::create_directory(data / "wordnet"); }
  Scratch data;
  std::string told(const std::string& bytes) {
    put(data / "wordnet/data.noun", bytes);
    return refusal([&] { load_glosses(data.path()); });
  }
};

TEST_CASE("glosses are read with class, words and text", "[unit]") {
  Folder folder;
  put(folder.data / "wordnet/data.noun", noun_file({good_line, "28 n 01 hour 0 000 | sixty minutes"}));
  const Glosses found = load_glosses(folder.data.path());
  CHECK(found.real);
  REQUIRE(found.glosses.size() == 2);
  CHECK(found.class_names.size() == 26);
  CHECK(found.class_names[static_cast<std::size_t>(found.glosses[0].word_class)] == "animal");
  CHECK(found.glosses[0].words == std::vector<std::string>{"dog", "domestic_dog"});
  CHECK(found.glosses[0].text == "an animal that barks; \"the dog barked\"");
  CHECK(found.class_names[static_cast<std::size_t>(found.glosses[1].word_class)] == "time");
  CHECK(found.glosses[1].text == "sixty minutes");
}

TEST_CASE("a broken line of data.noun is refused with file, line and what was expected", "[unit]") {
  Folder folder;
  const auto told = [&](const std::string& line) { return folder.told(noun_file({good_line, line})); };
  CHECK(says(told("02 n 01 dog 0 000 | text"), {"data.noun:4:", "class is 2, expected 3 to 28"}));
  CHECK(says(told("29 n 01 dog 0 000 | text"), {"data.noun:4:", "class is 29"}));
  CHECK(says(told("05 v 01 dog 0 000 | text"), {"type is 'v', expected 'n'"}));
  CHECK(says(told("05 n 00 dog 0 000 | text"), {"count of words is 0"}));
  CHECK(says(told("05 n 1 dog 0 000 | text"), {"count of words is '1', expected a number of 2 digits"}));
  CHECK(says(told("05 n 02 dog 0 000 | text"), {"number of the word's sense"}));
  CHECK(says(told("05 n 01 dog 0 001 | text"), {"is missing"}));
  CHECK(says(told("05 n 01 dog 0 001 @ 00001740 n 0000 text here"), {"expected '| ' and the gloss after 1 pointers"}));
  CHECK(says(told("05 n 01 dog 0 000 |   "), {"gloss is empty"}));
  CHECK(says(told("05 n 01 dog 0 000 | a\tb"), {"control character"}));
  CHECK(says(told(""), {"data.noun:4:", "class is missing"}));
  CHECK(says(folder.told(noun_file({good_line}) + "\n"), {"data.noun:4:", "offset is missing"}));
}

TEST_CASE("a data.noun that was cut or changed is refused", "[unit]") {
  Folder folder;
  const std::string good = noun_file({good_line, good_line});
  CHECK(folder.told(good) == "accepted");
  CHECK(says(folder.told(good.substr(0, good.size() - 1)), {"data.noun:4:", "truncated"}));
  CHECK(says(folder.told(licence), {"no nouns"}));
  CHECK(says(folder.told(""), {"no nouns"}));
  // A byte more anywhere moves every line from the number that it carries.
  CHECK(says(folder.told("x" + good), {"data.noun:1:"}));
  CHECK(says(folder.told("   " + good), {"data.noun:3:", "the line begins at byte"}));
  fs::remove(folder.data / "wordnet/data.noun");
  CHECK(says(refusal([&] { load_glosses(folder.data.path()); }), {"cannot open", "data.noun"}));
  for (std::size_t length = licence.size() + 1; length < good.size(); ++length)
    CHECK((folder.told(good.substr(0, length)) != "accepted" || good[length - 1] == '\n'));
}

TEST_CASE("without WordNet there is a stand-in that says so", "[unit]") {
  const Scratch data;
  const Glosses stand_in = load_glosses(data.path());
  CHECK_FALSE(stand_in.real);
  CHECK(stand_in.glosses.size() == 3'000);
  CHECK(stand_in.class_names.size() == 26);
  CHECK(std::ranges::all_of(stand_in.glosses, [](const Gloss& g) { return !g.text.empty() && !g.words.empty(); }));
  CHECK(make_gloss_stand_in(10).glosses[9].text == stand_in.glosses[9].text);
  put(data / "file", "");
  CHECK(says(refusal([&] { load_glosses(data / "file"); }), {"cannot read the folder"}));
}

TEST_CASE("the words of a gloss", "[unit]") {
  using Words = std::vector<std::string>;
  CHECK(gloss_words("a dog's bark; \"the Dog barked\"") == Words{"a", "dog's", "bark", "the", "dog", "barked"});
  CHECK(gloss_words("a dog's bark; \"the Dog barked\"", false) == Words{"a", "dog's", "bark"});
  CHECK(gloss_words("born in 1809 (1809-1882), 12th; x2y") == Words{"born", "in", "#", "#", "#", "#", "th", "x", "#", "y"});
  CHECK(gloss_words("the dogs' 'den' 3'4 o'") == Words{"the", "dogs", "den", "#", "#", "o"});
  CHECK(gloss_words("caf\xc3\xa9 well-known") == Words{"caf", "well", "known"});
  CHECK(gloss_words("; -- ").empty());
}

TEST_CASE("the largest classes are chosen, the first glosses of each, and split by their words", "[unit]") {
  Glosses all;
  all.class_names = {"small", "large", "middle", "none"};
  for (int i = 0; i < 400; ++i) {
    const int word_class = i % 4 == 0 ? 2 : i % 40 == 1 ? 0 : 1;
    all.glosses.push_back({word_class, {"noun" + std::to_string(i)}, "meaning " + std::string(static_cast<std::size_t>(1 + i % 23), 'a')});
  }
  all.glosses.insert(all.glosses.begin(), {1, {"nothing"}, "--"});
  const GlossClasses chosen = choose_gloss_classes(all, {2, 50, true, {0.2, 0.3}});
  CHECK(chosen.class_names == std::vector<std::string>{"large", "middle"});
  CHECK(chosen.glosses.size() == 100);
  CHECK(chosen.glosses.front().noun == "noun0");
  CHECK(std::ranges::count(chosen.glosses, 0, &ClassifiedGloss::label) == 50);
  std::map<std::vector<std::string>, Part> parts;
  for (const ClassifiedGloss& gloss : chosen.glosses) CHECK(parts.try_emplace(gloss.words, gloss.part).first->second == gloss.part);
  for (const Part part : {Part::training, Part::validation, Part::test})
    CHECK(std::ranges::any_of(parts, [&](const auto& entry) { return entry.second == part; }));
  CHECK_THROWS_AS(choose_gloss_classes(all, {5}), std::invalid_argument);
  CHECK_THROWS_AS(naive_bayes_accuracy(choose_gloss_classes(all, {2, 50, true, {0, 0}})), std::invalid_argument);
}

TEST_CASE("naive Bayes tells glosses by their words, and cannot tell those drawn without regard to class", "[unit]") {
  // The stand-in's classes are drawn at random: ten of them leave a guess of one in ten.
  const GlossClasses stand_in = choose_gloss_classes(make_gloss_stand_in(6'000), {});
  CHECK_FALSE(stand_in.real);
  CHECK(stand_in.class_names.size() == 10);
  const auto tests = static_cast<double>(std::ranges::count(stand_in.glosses, Part::test, &ClassifiedGloss::part));
  CHECK(naive_bayes_accuracy(stand_in) < 0.1 + 5 * std::sqrt(0.1 * 0.9 / tests));
  Glosses clear = make_gloss_stand_in(2'000);
  for (Gloss& gloss : clear.glosses) gloss.text += " of " + clear.class_names[static_cast<std::size_t>(gloss.word_class)] + "kind";
  CHECK(naive_bayes_accuracy(choose_gloss_classes(clear, {})) > 0.9);
}

TEST_CASE("the real glosses in ten classes, where they are", "[unit]") {
  const fs::path data = fs::path(ATTENTION_SOURCE_DIR) / "datasets/data";
  if (!fs::exists(data / "wordnet")) {
    WARN("left out: WordNet is not in datasets/data; ./course data fetches it");
    return;
  }
  const GlossClasses chosen = choose_gloss_classes(load_glosses(data));
  CHECK(chosen.real);
  CHECK(chosen.class_names == std::vector<std::string>{"act", "animal", "artifact", "attribute", "communication", "location", "person", "plant",
                                                       "state", "substance"});
  CHECK(chosen.glosses.size() == 15'000);
  const double accuracy = naive_bayes_accuracy(chosen);
  CHECK(accuracy > 0.82);
  CHECK(accuracy < 0.88);
}

}  // namespace
