// Evidence records: written and read back, and every way in which one can be wrong.
#include <limits>

#include "record/evidence_record.hpp"
#include "tensor/npy.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;

namespace {

record::EvidenceRecord some_evidence() {
  record::EvidenceRecord evidence;
  evidence.title = "Two texts";
  evidence.classes = {"animal", "plant"};
  evidence.texts = {{{"a", "feline"}, 0, {0.25F, 0.75F}, {0.1F, 0.5F}, {-1, 2}},
                    {{"leaves"}, 1, {1}, {0.5F}, {0.25F}}};
  evidence.states = tensor::empty<2>({3, 2});
  evidence.output = tensor::empty<2>({3, 2});
  evidence.states.fill(0.5F);
  evidence.output.fill(0.25F);
  return evidence;
}

}  // namespace

TEST_CASE("an evidence record reads as it was written", "[record]") {
  const Scratch scratch;
  record::EvidenceRecord evidence = some_evidence();
  evidence.real = false;
  record::write(evidence, scratch.path(), "some");
  const record::EvidenceRecord found = record::read_evidence(scratch / "some.evidence.json");
  CHECK(found.title == evidence.title);
  CHECK_FALSE(found.real);
  CHECK(found.classes == evidence.classes);
  REQUIRE(found.texts.size() == 2);
  CHECK(found.texts[0].words == evidence.texts[0].words);
  CHECK(found.texts[0].attention == evidence.texts[0].attention);
  CHECK(found.texts[0].gradient == evidence.texts[0].gradient);
  CHECK(found.texts[1].leave_one_out == evidence.texts[1].leave_one_out);
  CHECK(found.texts[1].label == 1);
  CHECK(found.states == evidence.states);
  CHECK(found.output == evidence.output);
}

TEST_CASE("evidence whose parts do not agree is not written", "[record]") {
  const Scratch scratch;
  const auto refused = [&](auto change) {
    record::EvidenceRecord evidence = some_evidence();
    change(evidence);
    return refusal([&] { record::write(evidence, scratch.path(), "some"); });
  };
  using Record = record::EvidenceRecord;
  CHECK(says(refused([](Record& r) { r.texts[0].attention = {0.5F, 0.25F}; }), {"text 1", "sums to 0.75"}));
  CHECK(says(refused([](Record& r) { r.texts[0].attention = {-0.5F, 1.5F}; }), {"text 1", "-0.5"}));
  CHECK(says(refused([](Record& r) { r.texts[1].gradient[0] = std::numeric_limits<float>::quiet_NaN(); }),
             {"text 2", "gradient of word 1", "nan"}));
  CHECK(says(refused([](Record& r) { r.texts[1].label = 2; }), {"text 2", "class 2"}));
  CHECK(says(refused([](Record& r) { r.texts[1].leave_one_out.clear(); }),
             {"0 values of leave_one_out", "1 words"}));
  CHECK(says(refused([](Record& r) { r.texts.clear(); }), {"no texts"}));
  CHECK(says(refused([](Record& r) { r.texts[0].words.clear(); }), {"text 1: no words"}));
  CHECK(says(refused([](Record& r) {
               r.states = tensor::empty<2>({2, 2});
             }),
             {"states of shape (2, 2)", "3 words"}));
  CHECK(says(refused([](Record& r) {
               r.output = tensor::empty<2>({2, 2});
             }),
             {"output of shape (2, 2)", "(3, 2)"}));
  CHECK(says(refused([](Record& r) { r.states(0, 0) = std::numeric_limits<float>::infinity(); }),
             {"not finite"}));
  CHECK(says(refused([](Record& r) { r.classes.pop_back(); }), {"fewer than two classes"}));
  CHECK(says(refusal([&] { record::write(some_evidence(), scratch.path(), "a/b"); }), {"without a folder"}));
  CHECK(files_in(scratch.path()) == 0);
}

TEST_CASE("a damaged evidence record is refused in one line", "[record]") {
  const Scratch scratch;
  record::write(some_evidence(), scratch.path(), "some");
  const auto file = scratch / "some.evidence.json";
  const std::string good = get(file);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    put(file, text.replace(at, from.size(), to));
    return refusal([&] { record::read_evidence(file); });
  };
  CHECK(says(with("\"schema\": 1", "\"schema\": 2"), {"schema 2, expected 1"}));
  CHECK(says(with("some.words.npy", "../words.npy"), {"field words", "without a folder"}));
  CHECK(says(with("\"leaves\"", "\"leaves\", \"fall\""), {"words has 3 rows", "more words"}));
  CHECK(says(with("\"leaves\"", "7"), {"expected string"}));
  CHECK(says(with("\"classes\"", "\"class\""), {"field classes is missing"}));
  put(file, good);
  tensor::save(scratch / "some.words.npy", tensor::Tensor<2>(tensor::empty<2>({3, 2})));
  CHECK(says(refusal([&] { record::read_evidence(file); }), {"(3, 2)", "3 columns"}));
}
