#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tensor/safetensors.hpp"
#include "unit_files.hpp"

namespace {

using namespace attention::tests;
using namespace attention::tensor;

/// A .safetensors file with this header and these bytes behind it.
std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i) & 0xFF);
  return bytes + header + data;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape, offsets);
}

/// An object of these entries.
std::string object(const std::vector<std::string>& entries) { return fmt::format("{{{}}}", fmt::join(entries, ",")); }

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

const std::vector<float> numbers{1.5F, -2.F, 0.1F, 3.F, 65504.F, -0.F};

TEST_CASE("tensors and metadata come back from .safetensors as they were written", "[unit]") {
  const Scratch folder;
  const std::vector<double> wide{1e300, -0.5};
  const std::vector<std::int64_t> whole{INT64_MIN, 7, INT64_MAX};
  const std::vector<SafeTensor> tensors{
      make_safe_tensor("half", {3}, std::span(numbers).first(3), SafeDtype::F16), make_safe_tensor("a.b", {2, 3}, numbers),
      make_safe_tensor("step", {}, std::span<const std::int64_t>(whole).first(1)), make_safe_tensor("none", {0, 4}, std::span<const float>()),
      make_safe_tensor("wide", {2}, std::span<const double>(wide)), make_safe_tensor("whole", {3}, std::span<const std::int64_t>(whole))};
  const std::map<std::string, std::string> metadata{{"config", "{\"width\": 192}"}, {"gr\u00f6\u00dfe", "a \"word\"\n"}};
  write_safetensors(folder / "a.safetensors", tensors, metadata);
  const SafeTensors back = read_safetensors(folder / "a.safetensors");
  CHECK(back.metadata == metadata);
  CHECK(back.text("config") == "{\"width\": 192}");
  REQUIRE(back.tensors.size() == tensors.size());
  for (const SafeTensor& tensor : tensors) {
    const SafeTensor& found = back.at(tensor.name, tensor.shape);
    CHECK(found.shape == tensor.shape);
    CHECK(found.dtype == tensor.dtype);
    CHECK(found.bytes == tensor.bytes);
  }
  CHECK(back.at("a.b").floats() == numbers);
  CHECK(back.at("a.b").doubles()[2] == static_cast<double>(0.1F));
  CHECK(back.at("wide").doubles() == wide);
  CHECK(std::isinf(back.at("wide").floats()[0]));
  CHECK(back.at("whole").integers() == whole);
  CHECK(back.at("step").integers().at(0) == INT64_MIN);
  CHECK(back.at("half").floats()[0] == 1.5F);
  CHECK(std::abs(back.at("half").floats()[2] - 0.1F) <= 0.1F * 0x1p-11F);
  // The larger the numbers, the nearer to the beginning: each tensor begins at a multiple of its numbers' size.
  std::vector<std::size_t> sizes;
  for (const SafeTensor& tensor : back.tensors) sizes.push_back(bytes_of(tensor.dtype));
  CHECK(std::ranges::is_sorted(sizes, std::greater<>()));
  // Nothing but the file; and what was read, written again, gives the same bytes.
  CHECK(files_in(folder.path()) == 1);
  write_safetensors(folder / "b.safetensors", back.tensors, back.metadata);
  CHECK(get(folder / "a.safetensors") == get(folder / "b.safetensors"));
}

TEST_CASE("a .safetensors file of no tensor, and one that others wrote", "[unit]") {
  const Scratch folder;
  write_safetensors(folder / "none.safetensors", {});
  CHECK(read_safetensors(folder / "none.safetensors").tensors.empty());
  // The layout by hand, after the format's own page: no metadata, keys in any order, spaces behind the header.
  put(folder / "a", file_of(object({entry("late", "F32", "[1,2]", "[6,14]"), entry("early", "F16", "[3]", "[0,6]")}) + "   ",
                            raw(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x0001}) + raw(std::vector<float>{4, 5})));
  const SafeTensors found = read_safetensors(folder / "a");
  REQUIRE(found.tensors.size() == 2);
  CHECK(found.tensors[0].name == "early");
  CHECK(found.at("early").floats() == std::vector<float>{1, -2, std::ldexp(1.F, -24)});
  CHECK(found.at("late").floats() == std::vector<float>{4, 5});
  CHECK(found.metadata.empty());
}

TEST_CASE("float16 is rounded to the nearest, ties to even", "[unit]") {
  const std::vector<float> given{1 + 0x1p-11F, 1 + 0x3p-11F, 1 + 0x1.8p-11F, 65519.F, 65520.F, 1e-8F, -std::numeric_limits<float>::infinity()};
  const auto stored = make_safe_tensor("x", {7}, given, SafeDtype::F16).floats();
  CHECK(stored[0] == 1.F);
  CHECK(stored[1] == 1 + 0x2p-10F);
  CHECK(stored[2] == 1 + 0x1p-10F);
  CHECK(stored[3] == 65504.F);
  CHECK(std::isinf(stored[4]));
  CHECK(stored[5] == 0.F);
  CHECK(stored[6] == -std::numeric_limits<float>::infinity());
}

TEST_CASE("a broken .safetensors file is refused in one line that names it", "[unit]") {
  const Scratch folder;
  const auto file = folder / "w.safetensors";
  const std::string data = raw(std::vector<float>{1, 2});
  const auto bytes_told = [&](const std::string& bytes) {
    put(file, bytes);
    const std::string line = refusal([&] { read_safetensors(file); });
    CHECK(says(line, {"w.safetensors"}));
    return line;
  };
  const auto told = [&](const std::string& header) { return bytes_told(file_of(header, data)); };
  const auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return told(object({entry("x", dtype, shape, offsets)}));
  };
  put(file, file_of(object({entry("x", "F32", "[2]", "[0,8]")}), data));
  CHECK(refusal([&] { read_safetensors(file); }) == "accepted");

  CHECK(says(refusal([&] { read_safetensors(folder / "none"); }), {"cannot open", "none"}));
  CHECK(says(bytes_told(""), {"not a .safetensors file", "0 bytes"}));
  CHECK(says(bytes_told(std::string(100, 'x')), {"its header has 8680820740569200760 bytes, 92 follow"}));
  CHECK(says(bytes_told(std::string(8, '\0') + "{}"), {"its header begins with ''"}));
  CHECK(says(told(" {}"), {"its header begins with ' {}'"}));
  CHECK(says(told("{\"x\":"), {"not JSON"}));
  CHECK(says(told("{\"\xff\":1}"), {"not JSON"}));
  CHECK(says(told("{} x"), {"not JSON"}));
  CHECK(says(told(object({R"("x":)" + std::string(100'000, '[') + std::string(100'000, ']')})), {"lists within lists"}));
  CHECK(says(told("{\"x\":1}"), {"tensor 'x'", "found 1", "dtype, shape and data_offsets"}));
  CHECK(says(told("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}"), {"tensor 'x'", "expected dtype, shape and data_offsets"}));
  CHECK(says(one("BF16", "[4]", "[0,8]"), {"dtype is \"BF16\", expected F16, F32, F64 or I64"}));
  CHECK(says(told("{\"x\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}"), {"dtype is 7"}));
  CHECK(says(one("F32", "2", "[0,8]"), {"shape is 2"}));
  CHECK(says(one("F32", "[-2]", "[0,8]"), {"shape holds -2"}));
  CHECK(says(one("F32", "[2.0]", "[0,8]"), {"shape holds 2.0"}));
  CHECK(says(one("F32", "[99999999999999999999]", "[0,8]"), {"shape holds"}));
  CHECK(says(one("F32", "[1000000000000]", "[0,8]"), {"takes 4000000000000 bytes, its data_offsets hold 8"}));
  CHECK(says(one("F32", "[1000000000000]", "[0,4000000000000]"), {"ends at byte 4000000000000", "holds 8", "truncated"}));
  CHECK(says(one("F32", "[1000000000000,1000000000000]", "[0,8]"), {"larger than any memory"}));
  CHECK(says(one("F32", "[0,4611686018427387904]", "[0,0]"), {"larger than any memory"}));
  CHECK(says(one("F32", "[3]", "[0,8]"), {"takes 12 bytes, its data_offsets hold 8"}));
  CHECK(says(one("F32", "[2]", "[8,0]"), {"end at 0, before they begin at 8"}));
  CHECK(says(one("F32", "[2]", "[0]"), {"expected [begin, end]"}));
  CHECK(says(one("F32", "[2]", "[0,\"8\"]"), {"data_offsets holds"}));
  CHECK(says(one("F32", "[1]", "[4,8]"), {"begins at byte 4", "expected 0"}));
  CHECK(says(one("F32", "[1]", "[0,4]"), {"take 4 bytes, the file holds 8"}));
  const std::string first = entry("a", "F32", "[1]", "[0,4]");
  CHECK(says(told(object({first, entry("b", "F32", "[1]", "[0,4]")})), {"'b' begins at byte 0", "ends at 4"}));
  CHECK(says(told(object({first, first})), {"'a' is there twice"}));
  CHECK(says(told(object({first, R"("b":{"dtype":"F32","dtype":"F16"})"})), {"'dtype' is there twice"}));
  CHECK(says(told(object({R"("__metadata__":[])", first})), {"__metadata__ is not"}));
  CHECK(says(told(object({R"("__metadata__":{"k":1})", first})), {"__metadata__ 'k' is not a text"}));
  CHECK(says(bytes_told(file_of(object({entry("x\\ny", "F32", "[2]", "[0,8]")}), "")), {"x\\x0ay"}));
}

TEST_CASE("what cannot stand in a .safetensors file is refused and leaves none", "[unit]") {
  const Scratch folder;
  const auto file = folder / "w.safetensors";
  const SafeTensor good = make_safe_tensor("x", {2, 3}, numbers);
  CHECK(says(refusal([&] { write_safetensors(file, std::vector{good, good}); }), {"'x'", "there twice"}));
  CHECK(says(refusal([&] { write_safetensors(file, std::vector{make_safe_tensor("__metadata__", {6}, numbers)}); }), {"that of the metadata"}));
  CHECK(says(refusal([&] { write_safetensors(file, std::vector{make_safe_tensor("\xff", {6}, numbers)}); }), {"not UTF-8"}));
  CHECK(says(refusal([&] { write_safetensors(file, std::vector{good}, {{"k", "\xff"}}); }), {"not UTF-8"}));
  CHECK(says(refusal([&] { write_safetensors(file, std::vector{good}, {{"content_sum", "0"}}); }), {"content_sum"}));
  CHECK(says(refusal([&] { write_safetensors(file, std::vector{SafeTensor{"x", {7}, SafeDtype::F32, good.bytes}}); }), {"[7]", "24 bytes"}));
  CHECK(says(refusal([&] { write_safetensors(folder / "no/w", std::vector{good}); }), {"no"}));
  CHECK(files_in(folder.path()) == 0);
  CHECK_THROWS_AS(make_safe_tensor("x", {7}, numbers), std::invalid_argument);
  CHECK_THROWS_AS(make_safe_tensor("x", {6}, numbers, SafeDtype::I64), std::invalid_argument);

  write_safetensors(file, std::vector{good});
  const SafeTensors found = read_safetensors(file);
  CHECK(says(refusal([&] { found.at("y"); }), {"w.safetensors", "no tensor 'y'"}));
  CHECK(says(refusal([&] { found.at("x", std::vector<std::size_t>{3, 2}); }), {"w.safetensors", "[2, 3], expected [3, 2]"}));
  CHECK(says(refusal([&] { found.text("config"); }), {"w.safetensors", "no 'config'"}));
  CHECK(says(refusal([&] { found.at("x").integers(); }), {"'x' is F32, expected I64"}));
  CHECK(found.has("x"));
  CHECK_FALSE(found.has("y"));
}

TEST_CASE("no changed byte and no other length of a written .safetensors file passes unseen", "[unit]") {
  const Scratch folder;
  const auto file = folder / "a.safetensors";
  const std::vector<std::int64_t> step{12};
  write_safetensors(file, std::vector{make_safe_tensor("a", {2, 3}, numbers), make_safe_tensor("h", {3}, std::span(numbers).first(3), SafeDtype::F16),
                                      make_safe_tensor("s", {1}, std::span<const std::int64_t>(step))},
                    {{"config", "width 4"}});
  const SafeTensors good = read_safetensors(file);
  const std::string bytes = get(file);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    put(file, bytes.substr(0, length));
    CHECK(says(refusal([&] { read_safetensors(file); }), {"a.safetensors"}));
  }
  put(file, bytes + '\0');
  CHECK(says(refusal([&] { read_safetensors(file); }), {"longer"}));
  std::size_t passed = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned flip : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U, 0xFFU}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      put(file, changed);
      // Refused, or the same content in other words: a space of the header as a tab; a file whose sum lost its name.
      const std::string line = refusal([&] {
        const SafeTensors found = read_safetensors(file);
        if (found.metadata != good.metadata) {
          CHECK(found.metadata.size() == 2);
          return;
        }
        ++passed;
        REQUIRE(found.tensors.size() == good.tensors.size());
        for (std::size_t i = 0; i < good.tensors.size(); ++i) CHECK(found.tensors[i].bytes == good.tensors[i].bytes);
      });
      CHECK(says(line == "accepted" ? "a.safetensors" : line, {"a.safetensors"}));
    }
  }
  // Spaces at the end of the header may become other white space, three flips each at the most.
  CHECK(passed <= 3 * 7);
}

}  // namespace
