// Texts of the reader, and what is refused.
#include "look.hpp"

#include <sstream>

#include "helpers.hpp"
#include "record/attention_record.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;

TEST_CASE("a reading's shares and weights sum to 1", "[recurrent_attention]") {
  Corpus corpus(few_glosses(), WordVectors("there_is_no_such_folder"));
  for (const Pooling pooling : all_poolings) {
    const TextClassifier<float> model({.given = 16, .words = 20, .learnt = 4, .hidden = 8, .classes = 3}, pooling, 1);
    const Reading reading = read(model, corpus.training[3].words, corpus.lexicon);
    float sum = 0;
    for (const float s : reading.shares) sum += s;
    CHECK(std::abs(sum - 1) < 1e-6F);
    CHECK(reading.best() < 3);
    CHECK(reading.weights.size() == (pooling == Pooling::last_state ? 0 : corpus.training[3].words.size()));
    CHECK_THROWS_AS(read(model, {}, corpus.lexicon), std::invalid_argument);
  }
}

TEST_CASE("texts of the command line and of standard input", "[recurrent_attention]") {
  std::istringstream lines("one\r\n\ntwo\n");
  CHECK(texts_from(std::vector<std::string>{"first", "-"}, lines) == std::vector<std::string>{"first", "one", "two"});
  std::istringstream empty;
  CHECK(refusal([&] { texts_from(std::vector<std::string>{"-"}, empty); }) == "no text: standard input is empty; give one a line");
  std::string long_input;
  for (std::size_t i = 0; i <= most_texts; ++i) long_input += "x\n";
  std::istringstream many(long_input);
  CHECK(refusal([&] { texts_from(std::vector<std::string>{"-"}, many); }).starts_with("more than 1000 texts"));
}

TEST_CASE("nothing is told from a stand-in, nor without weights", "[recurrent_attention]") {
  Corpus corpus(few_glosses(), WordVectors("there_is_no_such_folder"));
  const Scratch scratch;
  std::ostringstream out;
  const std::vector<std::string> texts{"a large feline"};
  CHECK(find_classifiers(corpus, {scratch.path(), scratch.path()}).empty());
  CHECK(refusal([&] { look_at_texts(texts, corpus, {}, scratch.path(), out); }).find("knows no English") != std::string::npos);
  corpus.real = true;
  CHECK(refusal([&] { look_at_texts(texts, corpus, {}, scratch.path(), out); }).find("./course train 07") != std::string::npos);
  std::vector<TrainedClassifier> untrained(1);
  CHECK(refusal([&] { look_at_texts(std::vector<std::string>{"?!"}, corpus, untrained, scratch.path(), out); }).find("text 1 has no word") == 0);
  CHECK(files_in(scratch.path()) == 0);
}

TEST_CASE("a reader's texts leave a record each and nothing of an earlier call", "[recurrent_attention]") {
  Corpus corpus(few_glosses(), WordVectors("there_is_no_such_folder"));
  corpus.real = true;
  const Scratch scratch;
  std::ostringstream out;
  std::vector<TrainedClassifier> classifiers;
  for (const Pooling pooling : all_poolings)
    classifiers.push_back({TextClassifier<float>({.given = 16, .words = 20, .learnt = 4, .hidden = 8, .classes = 3}, pooling, 1), {}});
  const auto folder = scratch / "07_recurrent_attention/text";
  look_at_texts(std::vector<std::string>{"the feline runs", "unheard of"}, corpus, classifiers, scratch.path(), out);
  CHECK(std::filesystem::exists(folder / "text_2.attention.json"));
  CHECK(out.str().find("mean_pooling") != std::string::npos);
  look_at_texts(std::vector<std::string>{"green"}, corpus, classifiers, scratch.path(), out);
  CHECK(std::filesystem::exists(folder / "text_1.attention.json"));
  CHECK_FALSE(std::filesystem::exists(folder / "text_2.attention.json"));
  CHECK(record::read(folder / "text_1.attention.json").weights.size() == 1);
}
