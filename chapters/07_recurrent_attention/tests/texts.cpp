// Words, the split and the lexicon.
#include <set>

#include "helpers.hpp"

using namespace attention;
using namespace attention::tests;

TEST_CASE("a text's words are its letters and digits in lower case", "[recurrent_attention]") {
  CHECK(words_of("a Cat's whiskers; \"it's 'quoted'\" (3-D)") == std::vector<std::string>{"a", "cat's", "whiskers", "it's", "quoted", "3", "d"});
  CHECK(words_of("caf\xc3\xa9") == std::vector<std::string>{"caf\xc3\xa9"});
  CHECK(words_of(" ;- '' ").empty());
}

TEST_CASE("the split is fixed, bounded, and holds no gloss twice", "[recurrent_attention]") {
  datasets::Glosses glosses = datasets::make_gloss_stand_in(6000);
  const Texts texts = texts_of(glosses);
  REQUIRE(texts.classes.size() == 10);
  CHECK_FALSE(texts.real);
  std::set<std::vector<std::string>> seen;
  std::size_t all = 0;
  for (const auto* part : {&texts.training, &texts.validation, &texts.test}) {
    CHECK_FALSE(part->empty());
    for (const Text& text : *part) {
      CHECK_FALSE(text.words.empty());
      CHECK((text.label >= 0 && text.label < 10));
      ++all;
    }
  }
  std::vector<std::size_t> of_class(10);
  for (const auto* part : {&texts.training, &texts.validation, &texts.test})
    for (const Text& text : *part) ++of_class[static_cast<std::size_t>(text.label)];
  for (const std::size_t n : of_class) CHECK((n > 0 && n <= most_of_a_class));
  const double shares[] = {static_cast<double>(texts.validation.size()) / static_cast<double>(all), static_cast<double>(texts.test.size()) / static_cast<double>(all)};
  // Four standard deviations of a share of so many drawn ones.
  CHECK(std::abs(shares[0] - validation_share) <= 4 * std::sqrt(validation_share / static_cast<double>(all)));
  CHECK(std::abs(shares[1] - test_share) <= 4 * std::sqrt(test_share / static_cast<double>(all)));
  // The dictionary's order is of no account, nor a gloss that comes again.
  std::ranges::reverse(glosses.glosses);
  glosses.glosses.push_back(glosses.glosses.front());
  const Texts again = texts_of(glosses);
  REQUIRE(again.training.size() == texts.training.size());
  CHECK(again.training.front().words == texts.training.front().words);
  CHECK(again.test.back().words == texts.test.back().words);
}

TEST_CASE("a lexicon numbers frequent training words first and takes new ones", "[recurrent_attention]") {
  const WordVectors vectors("there_is_no_such_folder");
  Lexicon lexicon(few_texts(), vectors);
  const std::vector<std::string> words{"the", "feline", "unheard", "the"};
  const std::vector<Index> numbers = lexicon.numbers(words);
  CHECK(numbers[0] == datasets::Vocabulary::first_word);  // in every text
  CHECK(numbers[0] == numbers[3]);
  CHECK(lexicon.in_training(numbers[1]));
  CHECK_FALSE(lexicon.in_training(numbers[2]));
  CHECK(lexicon.word(numbers[2]) == "unheard");
  CHECK(lexicon.numbers(words) == numbers);
  double length = 0;
  for (Index c = 0; c < WordVectors::width; ++c) length += static_cast<double>(lexicon.vector(numbers[2])[c]) * static_cast<double>(lexicon.vector(numbers[2])[c]);
  CHECK(std::abs(length - 1) < 1e-5);

  // A batch: beyond the learnt words `unknown`, with its given vector; behind the end nothing.
  const Sizes sizes{.given = 8, .words = numbers[1] + 1, .learnt = 2, .hidden = 2, .classes = 3};
  const std::vector<Index> first{numbers[1], numbers[2]}, second{numbers[0]};
  const std::vector<const std::vector<Index>*> texts{&first, &second};
  const Batch<float> batch = batch_of(texts, lexicon, sizes);
  CHECK(batch.words == std::vector<Index>{numbers[1], numbers[0], datasets::Vocabulary::unknown, datasets::Vocabulary::padding});
  CHECK(batch.lengths == std::vector<Index>{2, 1});
  for (std::size_t c = 0; c < 8; ++c) {
    CHECK(batch.given.data()[16 + c] == lexicon.vector(numbers[2])[c]);
    CHECK(batch.given.data()[24 + c] == 0);
  }
}
