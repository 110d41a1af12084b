#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tensor/npy.hpp"
#include "unit_files.hpp"

namespace {

using namespace attention::tests;
using namespace attention::tensor;

// A .npy file with this header text and these bytes behind it.
std::string npy_file(const std::string& dictionary, const std::string& data, char version = 1) {
  std::string text = dictionary;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  text.append(63 - (8 + length_bytes + text.size()) % 64, ' ');
  text += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  for (std::size_t i = 0; i < length_bytes; ++i) bytes += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return bytes + text + data;
}

std::string header(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST_CASE("a tensor comes back as it was saved", "[unit]") {
  const Scratch folder;
  auto tensor = empty<3>({2, 3, 4});
  for (std::size_t i = 0; i < tensor.size(); ++i) tensor.data()[i] = static_cast<float>(i) - 7.25F;
  tensor.data()[5] = std::numeric_limits<float>::infinity();
  save(folder / "a.npy", tensor);
  const auto back = load<float, 3>(folder / "a.npy");
  CHECK(back.shape() == tensor.shape());
  CHECK(std::memcmp(back.data(), tensor.data(), tensor.size() * sizeof(float)) == 0);

  // The bytes are those that numpy.save writes.
  CHECK(get(folder / "a.npy") ==
        npy_file(header("<f4", "(2, 3, 4)"), std::string(reinterpret_cast<const char*>(tensor.data()), 96)));
  CHECK(read_npy(folder / "a.npy").dtype == "float32");
  write_npy(folder / "b.npy", to_npy(tensor));
  CHECK(get(folder / "a.npy") == get(folder / "b.npy"));
}

TEST_CASE("every dtype comes back", "[unit]") {
  const Scratch folder;
  const auto round = [&]<class T>(T first, T second) {
    auto tensor = empty<1, T>({2});
    tensor.data()[0] = first;
    tensor.data()[1] = second;
    save(folder / "a.npy", tensor);
    const auto back = load<T, 1>(folder / "a.npy");
    CHECK(back.data()[0] == first);
    CHECK(back.data()[1] == second);
  };
  round(1.5F, -2.F);
  round(1.5, 1e300);
  round(std::int64_t{INT64_MIN}, std::int64_t{INT64_MAX});
  round(std::int32_t{INT32_MIN}, std::int32_t{INT32_MAX});
  round(std::uint8_t{0}, std::uint8_t{255});
  round(false, true);
}

TEST_CASE("numbers of other float types are converted, and versions 2 and 3 are read", "[unit]") {
  const Scratch folder;
  // 1, -2, the largest, the smallest, infinity, -0
  put(folder / "half.npy",
      npy_file(header("<f2", "(6,)"),
               raw(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x7BFF, 0x0001, 0x7C00, 0x8000}), 2));
  const auto half = load<float, 1>(folder / "half.npy");
  CHECK(half.data()[0] == 1.F);
  CHECK(half.data()[1] == -2.F);
  CHECK(half.data()[2] == 65504.F);
  CHECK(half.data()[3] == std::ldexp(1.F, -24));
  CHECK(std::isinf(half.data()[4]));
  CHECK(std::signbit(half.data()[5]));

  put(folder / "double.npy", npy_file(header("<f8", "(1, 2)"), raw(std::vector<double>{0.5, 1e300}), 3));
  const auto narrowed = load<float, 2>(folder / "double.npy");
  CHECK(narrowed.data()[0] == 0.5F);
  CHECK(std::isinf(narrowed.data()[1]));

  put(folder / "int.npy", npy_file(header("<i4", "(2,)"), raw(std::vector<std::int32_t>{-1, 2})));
  CHECK(load<std::int64_t, 1>(folder / "int.npy").data()[0] == -1);
}

TEST_CASE("the header may be written in any way that Python reads", "[unit]") {
  const Scratch folder;
  const std::string data = raw(std::vector<float>{1, 2});
  for (const std::string& text :
       {std::string("{'shape':(2,),'fortran_order':False,'descr':'<f4'}"),
        std::string("{\"descr\": \"<f4\", \"fortran_order\": True, \"shape\": (2L,)}"),
        header("<f4", "(2,)", "True")}) {
    put(folder / "a.npy", npy_file(text, data));
    CHECK(load<float, 1>(folder / "a.npy").data()[1] == 2.F);
  }
  put(folder / "scalar.npy", npy_file(header("<f4", "()"), raw(std::vector<float>{3})));
  CHECK(read_npy(folder / "scalar.npy").shape.empty());
  put(folder / "empty.npy", npy_file(header("<f4", "(0, 5)"), ""));
  CHECK(load<float, 2>(folder / "empty.npy").size() == 0);
}

TEST_CASE("a broken .npy file is refused with the field and both numbers", "[unit]") {
  const Scratch folder;
  const auto file = folder / "q.npy";
  const std::string two = raw(std::vector<float>{1, 2});
  const auto told = [&](const std::string& bytes) {
    put(file, bytes);
    return refusal([&] { load<float, 1>(file); });
  };
  CHECK(says(refusal([&] { load<float, 1>(folder / "none.npy"); }),
             {"cannot open", "none.npy", "No such file"}));
  CHECK(says(refusal([&] { load<float, 1>(folder.path()); }), {"not a regular file"}));
  CHECK(says(told(""), {"q.npy", "not a .npy file", "0 bytes"}));
  CHECK(says(told(std::string(100, 'x')), {"q.npy", "not a .npy file", "'xxxxxx'"}));
  CHECK(
      says(told(npy_file(header("<f4", "(3,)"), two)), {"q.npy", "(3)", "12 bytes", "found 8", "truncated"}));
  CHECK(says(told(npy_file(header("<f4", "(1,)"), two)), {"q.npy", "4 bytes", "found 8", "longer"}));
  CHECK(says(told(npy_file(header(">f4", "(2,)"), two)), {"big-endian", "'>f4'", "'<f4'", ".astype"}));
  CHECK(says(told(npy_file(header("<c8", "(1,)"), two)), {"dtype '<c8'", "expected one of float16"}));
  CHECK(says(told(npy_file(header("", "(1,)"), two)), {"dtype ''"}));
  CHECK(says(told(npy_file("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,)}", two)),
             {"structured"}));
  CHECK(says(told(npy_file(header("<f4", "(1, 2)", "True"), two)),
             {"fortran_order True", "ascontiguousarray"}));
  CHECK(says(told(npy_file(header("<f4", "(1, 2)"), two)), {"(1, 2) has 2 dimensions, expected 1"}));
  CHECK(says(told(npy_file(header("<i4", "(2,)"), two)),
             {"dtype int32, expected float16, float32 or float64"}));
  CHECK(says(told(npy_file(header("<f4", "(-2,)"), two)), {"shape", "'-2,)"}));
  CHECK(says(told(npy_file(header("<f4", "(2)"), two)), {"',' in shape"}));
  CHECK(says(told(npy_file(header("<f4", "(1000000000000, 1000000000000)"), two)),
             {"larger than any memory", "8 bytes"}));
  CHECK(says(told(npy_file(header("<f4", "(0, 1000000000000, 1000000000000)"), "")),
             {"larger than any memory"}));
  CHECK(says(told(npy_file(header("<f4", "(1000000000000,)"), two)), {"4000000000000 bytes, found 8"}));
  CHECK(says(told(npy_file(header("<f4", "(" + std::string(30, '9') + ",)"), two)), {"below 2^64"}));
  CHECK(says(told(npy_file("{'descr': '<f4', 'shape': (2,)}", two)), {"fortran_order is missing"}));
  CHECK(says(told(npy_file("{'descr': '<f4', 'descr': '<f4'}", two)), {"'descr' is there twice"}));
  CHECK(says(told(npy_file(header("<f4", "(2,)") + "x", two)), {"the end of the header", "'x"}));
  CHECK(says(told(npy_file("", two)), {"expected '{'"}));
  std::string beyond = npy_file(header("<f4", "(2,)"), two);
  beyond[9] = '\x7f';
  CHECK(says(told(beyond), {"header length 32", "beyond the file"}));
  CHECK(says(told(npy_file(header("<f4", "(2,)"), two, 9)), {"version 9.0"}));
  put(file, npy_file(header("|b1", "(2,)"), std::string("\x01\x02")));
  CHECK(says(refusal([&] { load<bool, 1>(file); }), {"bool element 1 is 2, expected 0 or 1"}));
  put(file, npy_file(header("<f4", "(" + std::string(40, ' ') + ")"), two));
  CHECK(says(refusal([&] {
               write_npy(file, {{3}, "float32", std::vector<std::byte>(8)});
             }),
             {"(3)", "8 bytes"}));
}

TEST_CASE("no flipped byte and no shorter file does harm", "[unit]") {
  const Scratch folder;
  const auto file = folder / "a.npy";
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6};
  const std::string good = npy_file(header("<f4", "(2, 3)"), raw(numbers));
  const std::size_t begin = good.size() - 24;
  // Refused in one line, or read right: what the file now says, with no more numbers than it has.
  const auto check = [&](const std::string& bytes) {
    put(file, bytes);
    refusal([&] {
      const auto array = read_npy(file);
      CHECK(array.bytes.size() == bytes.size() - begin);
      CHECK(std::memcmp(array.bytes.data(), bytes.data() + begin, array.bytes.size()) == 0);
    });
    refusal([&] {
      const auto tensor = load<float, 2>(file);
      CHECK(tensor.size() == 6);
    });
  };
  for (std::size_t length = 0; length < good.size(); ++length) {
    put(file, good.substr(0, length));
    CHECK(refusal([&] { read_npy(file); }) != "accepted");
  }
  for (std::size_t at = 0; at < begin; ++at) {
    for (unsigned flip : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U, 0xFFU}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      check(bytes);
    }
  }
}

}  // namespace
