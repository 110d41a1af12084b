// The reader of ONNX models, on models that are written byte by byte, whole and damaged.
#include "catch.hpp"
#include "loaders/onnx_model.hpp"
#include "numerics/random.hpp"
#include "onnx_bytes.hpp"
#include "program/error.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;
using datasets::OnnxModel;
using datasets::parse_onnx;

namespace {

std::string whole_model() {
  using namespace onnx;
  return model(node("Conv", {"x", "w", ""}, {"c"}, attribute("strides", {2, -1}) + attribute("group", 3)) +
               node("Clip", {"c"}, {"y"}, real_attribute("max", 6.5F)) + constant(floats("w", {2, 1, 3}, {1, 2, 3, 4, 5, 6})) +
               constant(stored_tensor("shape", {2}, 7, raw(std::vector<std::int64_t>{-1, 200}))) +
               node("Constant", {}, {"k"}, tensor_attribute("value", floats("", {}, {0.25F}))));
}

std::string refusal_of(const std::string& bytes) {
  try {
    parse_onnx(bytes, "net.onnx");
  } catch (const program::UserError& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace

TEST_CASE("onnx: a model's nodes, attributes and tensors are read", "[onnx]") {
  const OnnxModel m = parse_onnx(whole_model(), "net.onnx");
  CHECK(m.opset == 9);
  CHECK(m.inputs == std::vector<std::string>{"x"});
  CHECK(m.outputs == std::vector<std::string>{"y"});
  REQUIRE(m.nodes.size() == 3);
  CHECK(m.nodes[0].op == "Conv");
  CHECK(m.nodes[0].inputs == std::vector<std::string>{"x", "w", ""});
  REQUIRE(m.nodes[0].attributes.size() == 2);
  CHECK(m.nodes[0].attributes[0].integers == std::vector<std::int64_t>{2, -1});
  CHECK(m.nodes[0].attributes[1].integer == 3);
  CHECK(m.nodes[1].attributes[0].real == 6.5F);
  CHECK(m.nodes[2].attributes[0].tensor.floats == std::vector<float>{0.25F});
  REQUIRE(m.constants.size() == 2);
  CHECK(m.constants[0].shape == std::vector<tensor::Index>{2, 1, 3});
  CHECK(m.constants[0].floats == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK((m.constants[1].whole && m.constants[1].integers == std::vector<std::int64_t>{-1, 200}));
}

TEST_CASE("onnx: numbers in a list, packed or one by one, and unknown fields", "[onnx]") {
  using namespace onnx;
  // float_data and int64_data in place of raw bytes; dims packed; a field that nobody knows.
  const std::string packed = bytes(1, varint(2) + varint(1)) + number(2, 1) + bytes(4, raw(std::vector<float>{3, 4})) + bytes(8, "p") + bytes(99, "?");
  const std::string singly = number(1, 2) + number(2, 7) + number(7, -5) + number(7, 6) + bytes(8, "s") + number(77, 1);
  const OnnxModel m = parse_onnx(model(constant(packed) + constant(singly)), "net.onnx");
  REQUIRE(m.constants.size() == 2);
  CHECK(m.constants[0].shape == std::vector<tensor::Index>{2, 1});
  CHECK(m.constants[0].floats == std::vector<float>{3, 4});
  CHECK(m.constants[1].integers == std::vector<std::int64_t>{-5, 6});
}

TEST_CASE("onnx: what a model cannot mean is refused in one line", "[onnx]") {
  using namespace onnx;
  const auto refused = [](const std::string& nodes, const char* words) {
    const std::string line = refusal_of(model(nodes));
    INFO(line);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.starts_with("net.onnx: "));
    return line.find(words) != std::string::npos;
  };
  CHECK(refused(constant(floats("w", {3}, {1, 2})), "8 bytes in place of 12"));
  CHECK(refused(constant(floats("w", {-3}, {1, 2})), "impossible shape"));
  CHECK(refused(constant(floats("w", {INT64_MAX, INT64_MAX}, {})), "impossible shape"));
  CHECK(refused(constant(stored_tensor("w", {1}, 10, "ab")), "type 10"));
  CHECK(refused(constant(number(1, 3) + number(2, 1) + bytes(4, "1234")), "1 numbers in place of 3"));
  CHECK(refused(constant(number(1, 1) + number(2, 1) + bytes(4, "12345")), "cut off"));
  CHECK(refused(constant(number(2, 1) + number(14, 1)), "another file"));
  CHECK(refused(constant(number(2, 1) + bytes(13, "x")), "another file"));
  CHECK(refused(bytes(15, ""), "sparse"));
  CHECK(refused(node("If", {"x"}, {"y"}, bytes(5, bytes(1, "then_branch") + bytes(6, "") + number(20, 5))), "'then_branch' of type 5"));
  CHECK(refused(bytes(1, varint(1 << 3 | 3)), "unknown kind 3"));
  CHECK(refused(bytes(1, number(1, 5)), "kind 0, expected 2"));
  CHECK(refused(bytes(1, varint(0) + "a"), "number 0"));
  CHECK(refused(bytes(1, varint(1 << 3 | 2) + varint(1000)), "1000 bytes where 0 are left"));
  CHECK(refused(bytes(1, std::string(11, '\xff')), "more than 64 bits"));
  CHECK(refused(bytes(11, ""), "without a name"));
  CHECK(refusal_of("").find("no graph") != std::string::npos);
  CHECK(refusal_of(number(1, 8)).find("no graph") != std::string::npos);
  CHECK(refusal_of(bytes(7, "")).find("no version") != std::string::npos);
  CHECK(refusal_of(bytes(7, "") + bytes(7, "")).find("second graph") != std::string::npos);
  CHECK(refusal_of(bytes(25, "")).find("function") != std::string::npos);
  std::string many;
  for (int i = 0; i < 100; ++i) many += attribute("a", 1);
  CHECK(refused(node("Relu", {"x"}, {"y"}, many), "more than 64 parts"));
  const Scratch folder;
  put(folder / "none.onnx", "");
  CHECK_THROWS_AS(datasets::read_onnx(folder / "none.onnx"), program::UserError);
  CHECK_THROWS_AS(datasets::read_onnx(folder / "missing.onnx"), program::UserError);
}

TEST_CASE("onnx: no cut and no changed byte does harm", "[onnx]") {
  const std::string good = whole_model();
  for (std::size_t length = 0; length < good.size(); ++length) refusal_of(good.substr(0, length));
  numerics::Random random(3);
  int refused = 0;
  for (int change = 0; change < 4000; ++change) {
    std::string bad = good;
    for (int i = 0; i <= change % 3; ++i) bad[random.bits() % bad.size()] = static_cast<char>(random.bits() & 0xFF);
    const std::string line = refusal_of(bad);
    CHECK(line.find('\n') == std::string::npos);
    refused += !line.empty();
  }
  CHECK(refused > 1000);
}
