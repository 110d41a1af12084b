#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "program/json.hpp"
#include "record/attention_record.hpp"
#include "unit_files.hpp"

namespace {

using namespace attention::tests;
using namespace attention;
using record::AttentionRecord;

tensor::Tensor<4> weights(std::size_t queries, std::size_t keys) {
  auto result = tensor::empty<4>({1, 2, queries, keys});
  result.fill(1.F / static_cast<float>(keys));
  return result;
}

tensor::NpyArray pictures(std::vector<std::size_t> shape) {
  std::size_t count = 1;
  for (std::size_t length : shape) count *= length;
  return {std::move(shape), "uint8", std::vector<std::byte>(count, std::byte{7})};
}

AttentionRecord example() {
  AttentionRecord result;
  result.title = "Two words and the pictures they look at";
  result.real = false;
  result.queries = record::tokens({"a cat", "ein Größe-Tier"});
  result.keys = record::images(pictures({3, 4, 5}), {"one", "two", "three"});
  result.weights = weights(2, 3);
  result.machine = {{"cpu", "some"}};
  return result;
}

TEST_CASE("an attention record comes back as it was written", "[unit]") {
  const Scratch folder;
  const AttentionRecord out = example();
  record::write(out, folder / "new", "words");
  const AttentionRecord in = record::read(folder / "new/words.attention.json");
  CHECK(in.title == out.title);
  CHECK(in.real == out.real);
  CHECK(in.queries.kind == record::Kind::tokens);
  CHECK(in.queries.labels == out.queries.labels);
  CHECK_FALSE(in.queries.pixels.has_value());
  CHECK(in.keys.kind == record::Kind::images);
  CHECK(in.keys.labels == out.keys.labels);
  REQUIRE(in.keys.pixels.has_value());
  CHECK(in.keys.pixels->bytes == out.keys.pixels->bytes);
  CHECK(in.weights == out.weights);
  CHECK(in.machine == out.machine);
  CHECK(files_in(folder / "new") == 3);

  const Json document = Json::parse(get(folder / "new/words.attention.json"));
  CHECK(document["schema"] == 1);
  CHECK(document["kind"] == "images");
  CHECK(document["data"] == "stand_in");
  CHECK(document["heads"] == 2);
  CHECK(document["weights"] == "words.attention.npy");
  CHECK(document["keys"]["pixels"] == "words.keys.npy");
}

TEST_CASE("a grid of places and frames are kept too", "[unit]") {
  const Scratch folder;
  AttentionRecord out;
  out.queries = record::frames(pictures({3, 8, 8, 3}));
  out.keys = record::image({2, 5}, pictures({28, 28}));
  out.weights = weights(3, 10);
  record::write(out, folder.path(), "frames");
  const AttentionRecord in = record::read(folder / "frames.attention.json");
  CHECK(in.queries.kind == record::Kind::frames);
  CHECK(in.queries.pixels->shape == std::vector<std::size_t>{3, 8, 8, 3});
  CHECK(in.keys.grid == std::array<std::size_t, 2>{2, 5});
  CHECK(in.machine.is_null());
}

TEST_CASE("a record whose parts do not agree is not written", "[unit]") {
  const Scratch folder;
  const auto told = [&](auto change) {
    AttentionRecord out = example();
    change(out);
    return refusal([&] { record::write(out, folder.path(), "words"); });
  };
  CHECK(says(told([](auto& r) { r.queries.labels.pop_back(); }),
             {"words", "queries: 1 labels, but weights has 2"}));
  CHECK(says(told([](auto& r) { r.keys.labels.pop_back(); }), {"keys: 2 labels, but weights has 3"}));
  CHECK(says(told([](auto& r) {
               r.keys.pixels = pictures({4, 4, 5});
             }),
             {"keys: pixels of 4 items, but weights has 3"}));
  CHECK(says(told([](auto& r) { r.keys.pixels = pictures({3, 4}); }), {"pixels of shape (3, 4)"}));
  CHECK(says(told([](auto& r) {
               r.keys.pixels = pictures({3, 4, 5, 2});
             }),
             {"pixels of shape (3, 4, 5, 2)"}));
  CHECK(says(told([](auto& r) { r.keys = record::image({2, 2}); }), {"keys: grid 2 × 2, but weights has 3"}));
  CHECK(says(told([](auto& r) { r.keys = record::image({std::size_t{1} << 63, 2}); }), {"grid"}));
  CHECK(says(told([](auto& r) { r.keys = {record::Kind::images}; }), {"neither labels nor pixels"}));
  CHECK(says(told([](auto& r) { r.queries.pixels = pictures({2, 2, 2}); }), {"its kind is tokens"}));
  CHECK(says(told([](auto& r) { r.weights(0, 1, 1, 2) = 0.5F; }),
             {"layer 0, head 1, query 1 sums to 1.16", "at most 1"}));
  CHECK(says(told([](auto& r) { r.weights(0, 1, 1, 2) = -0.5F; }),
             {"-0.5 at layer 0, head 1, query 1, key 2"}));
  CHECK(says(told([](auto& r) { r.weights(0, 0, 1, 2) = std::numeric_limits<float>::quiet_NaN(); }),
             {"nan at layer 0, head 0"}));
  CHECK(says(told([](auto& r) { r.weights = weights(0, 3); }), {"a length is 0"}));
  CHECK(
      says(refusal([&] { record::write(example(), folder.path(), "a/b"); }), {"'a/b'", "without a folder"}));
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("a row that is masked or of which a part is kept is right", "[unit]") {
  const Scratch folder;
  AttentionRecord out = example();
  out.weights.fill(0.F);
  out.weights(0, 0, 0, 0) = 0.25F;
  CHECK(refusal([&] { record::write(out, folder.path(), "words"); }) == "accepted");
}

TEST_CASE("a record that was tampered with is refused", "[unit]") {
  const Scratch folder;
  record::write(example(), folder.path(), "words");
  const auto file = folder / "words.attention.json";
  const Json good = Json::parse(get(file));
  const auto told = [&](auto change) {
    Json document = good;
    change(document);
    put(file, document.dump());
    return refusal([&] { record::read(file); });
  };
  CHECK(told([](Json&) {}) == "accepted");
  CHECK(says(told([](Json& d) { d["schema"] = 2; }), {"words.attention.json", "schema 2, expected 1"}));
  CHECK(says(told([](Json& d) { d["schema"] = -1; }), {"schema is -1, expected a whole number"}));
  CHECK(says(told([](Json& d) { d.erase("title"); }), {"title is missing"}));
  CHECK(says(told([](Json& d) { d["title"] = 3; }), {"title is of type number, expected string"}));
  CHECK(says(told([](Json& d) { d["data"] = "invented"; }), {"data 'invented'"}));
  CHECK(says(told([](Json& d) { d["heads"] = 3; }), {"(1, 2, 2, 3), expected (1, 3, 2, 3)"}));
  CHECK(says(told([](Json& d) { d["kind"] = "tokens"; }), {"kind 'tokens'", "'images'"}));
  CHECK(says(told([](Json& d) { d["keys"]["kind"] = "smells"; }), {"kind 'smells'"}));
  CHECK(says(told([](Json& d) { d["keys"]["labels"] = {1, 2, 3}; }), {"a label is of type number"}));
  CHECK(says(told([](Json& d) { d["keys"]["count"] = 4; }), {"expected (1, 2, 2, 4)"}));
  CHECK(says(told([](Json& d) { d["queries"] = Json::array(); }),
             {"queries is of type array, expected object"}));
  CHECK(says(told([](Json& d) { d["keys"]["kind"] = "image"; }), {"grid is missing"}));
  for (const char* name : {"../words.attention.npy", "/dev/zero", "", ".", ".."}) {
    CHECK(says(told([&](Json& d) { d["weights"] = name; }), {"weights is", "without a folder"}));
  }
  CHECK(says(told([](Json& d) { d["weights"] = "none.npy"; }), {"cannot open", "none.npy"}));
  CHECK(says(told([](Json& d) { d = Json::array(); }), {"expected a JSON object"}));

  const std::string text = good.dump();
  for (std::size_t length = 0; length < text.size(); ++length) {
    put(file, text.substr(0, length));
    CHECK(refusal([&] { record::read(file); }) != "accepted");
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string bytes = text;
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ 0x85U);
    put(file, bytes);
    refusal([&] { record::read(file); });
  }
}

}  // namespace
