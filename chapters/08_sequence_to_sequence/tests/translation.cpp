// Translation around the model: the word table, words for unknown marks, and how an alignment is scored.
#include "translation.hpp"

#include <algorithm>

#include "catch.hpp"

using namespace attention;
using namespace attention::sequence_to_sequence;

namespace {

datasets::VersePair verse(std::vector<std::string> source, std::vector<std::string> target, datasets::Part part = datasets::Part::training) {
  datasets::VersePair pair;
  pair.chapter = "Test.1";
  pair.source.words = std::move(source);
  pair.target.words = std::move(target);
  pair.part = part;
  return pair;
}

datasets::VersePairs some_verses() {
  datasets::VersePairs all;
  all.pairs = {verse({"la", "casa", "blanca"}, {"the", "white", "house"}), verse({"la", "mesa", "blanca"}, {"the", "white", "table"}), verse({"la", "casa"}, {"the", "house"}),
               verse({"el", "mar"}, {"the", "sea"}, datasets::Part::test)};
  return all;
}

}  // namespace

TEST_CASE("the word table takes the word that a word stands together with most closely", "[sequence_to_sequence]") {
  const datasets::VersePairs verses = some_verses();
  const WordTable table(verses_of(verses, datasets::Part::training));
  // "the" stands beside everything, so closeness must weigh how often it stands elsewhere.
  CHECK(table.translate({"la", "casa", "blanca", "mesa"}) == std::vector<std::string>{"the", "house", "white", "table"});
  // Nothing is learnt from the test.
  CHECK(table.translate({"mar"}).empty());
}

TEST_CASE("an unknown word becomes what the word looked at most is in the table", "[sequence_to_sequence]") {
  const datasets::VersePairs verses = some_verses();
  const Translation prepared = prepare_translation(verses, 2);
  CHECK(prepared.training.size() == 3);
  CHECK(prepared.source.id("mesa") == unknown);
  const WordTable table(verses_of(verses, datasets::Part::training));
  Answer answer;
  answer.symbols = {prepared.target.id("the"), unknown, unknown};
  // The end mark, the last place, is no word, however much it is looked at.
  answer.weights = {{0.9F, 0.1F, 0, 0}, {0, 0.1F, 0.3F, 0.6F}, {0, 0.5F, 0.4F, 0.1F}, {0, 0, 0, 1}};
  CHECK(words_of(answer, prepared.target, {"la", "playa", "mesa"}, table) == std::vector<std::string>{"the", "table", "playa"});
}

TEST_CASE("an alignment is scored on the words that a number links", "[sequence_to_sequence]") {
  datasets::VersePairs verses = some_verses();
  datasets::VersePair& pair = verses.pairs[0];
  pair.source.tags = {{1, 2, {"H1"}}, {2, 3, {"H2"}}};
  pair.target.tags = {{1, 2, {"H2"}}, {2, 3, {"H1"}}};
  const Translation prepared = prepare_translation(verses, 1);
  const Sizes sizes{.source_symbols = static_cast<Index>(prepared.source.size()), .target_symbols = static_cast<Index>(prepared.target.size()), .embedding = 4, .encoder = 4,
                    .decoder = 8, .units = 4, .window = 0, .dropout = 0, .kind = Kind::dot};
  const EncoderDecoder<float> model(sizes, 1);
  const AlignmentScore score = alignment_of(model, prepared, {&pair});
  // "white" and "house" are asked about. The words cross, so the diagonal has both wrong.
  CHECK(score.links == 2);
  CHECK(score.diagonal == 0);
  const auto weights = forced_weights(model, prepared.source.ids(pair.source.words), prepared.target.ids(pair.target.words));
  REQUIRE(weights.size() == 4);
  std::size_t right = 0;
  for (const auto& [said, linked] : {std::pair(1, 2), std::pair(2, 1)}) {
    const auto& row = weights[static_cast<std::size_t>(said)];
    right += std::max_element(row.begin(), row.begin() + 3) - row.begin() == linked ? 1U : 0U;
  }
  CHECK(score.right == right);
  // Uncrossed, the diagonal has both right.
  std::swap(pair.target.tags[0].numbers, pair.target.tags[1].numbers);
  CHECK(alignment_of(model, prepared, {&pair}).diagonal == 2);
}
