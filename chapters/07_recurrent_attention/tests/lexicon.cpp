// Words as numbers and as given vectors.
#include <cmath>

#include "helpers.hpp"

using namespace attention;
using namespace attention::tests;

TEST_CASE("a lexicon numbers frequent training words first and takes new ones", "[recurrent_attention]") {
  Lexicon lexicon(few_glosses(), std::make_shared<const WordVectors>("there_is_no_such_folder"));
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
  CHECK(std::abs(std::sqrt(length) - WordVectors::length) < 1e-5);

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
