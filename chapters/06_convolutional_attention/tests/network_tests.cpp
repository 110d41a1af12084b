// Networks that others trained: the graph and its operators on small models, and the direction classifier beside ONNX Runtime.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "catch.hpp"
#include "direction_classifier.hpp"
#include "drawn_text.hpp"
#include "layers/network.hpp"
#include "numerics/random.hpp"
#include "onnx_bytes.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::convolutional;
using namespace attention::tests;
namespace fs = std::filesystem;

namespace {

Network network(const std::string& nodes, std::int64_t opset = 9) { return Network(datasets::parse_onnx(onnx::model(nodes, opset), "net.onnx")); }

Value value(std::vector<Index> shape, std::vector<float> numbers) { return {std::move(shape), false, std::move(numbers), {}}; }

std::vector<float> floats_of(const std::string& nodes, const Value& x) { return network(nodes).run(x).floats; }

/// The one line that building and running the network is refused with.
std::string fault(const std::string& nodes, const Value& x = value({1, 1, 2}, {1, 2})) {
  return refusal([&] { network(nodes).run(x); });
}

}  // namespace

TEST_CASE("network: each operator does what the standard says", "[layers][network]") {
  using namespace onnx;
  const Value row = value({1, 1, 4}, {-4, -1, 1, 8});
  CHECK(floats_of(node("Relu", {"x"}, {"y"}), row) == std::vector<float>{0, 0, 1, 8});
  CHECK(floats_of(node("Clip", {"x"}, {"y"}, real_attribute("min", -2) + real_attribute("max", 6)), row) == std::vector<float>{-2, -1, 1, 6});
  CHECK(floats_of(node("HardSigmoid", {"x"}, {"y"}, real_attribute("alpha", 0.25F) + real_attribute("beta", 0.5F)), row) == std::vector<float>{0, 0.25F, 0.75F, 1});
  CHECK(floats_of(node("GlobalAveragePool", {"x"}, {"y"}), row) == std::vector<float>{1});
  CHECK(floats_of(node("MaxPool", {"x"}, {"y"}, attribute("kernel_shape", std::vector<std::int64_t>{3}) + attribute("strides", std::vector<std::int64_t>{1})), row) == std::vector<float>{1, 8});
  const std::string weight = constant(floats("w", {2, 1, 2}, {1, 10, 0, -1})), bias = constant(floats("b", {2}, {100, 0}));
  CHECK(floats_of(weight + bias + node("Conv", {"x", "w", "b"}, {"y"}), row) == std::vector<float>{86, 109, 181, 1, -1, -8});
  CHECK(floats_of(constant(floats("s", {1}, {2})) + constant(floats("b", {1}, {1})) + constant(floats("m", {1}, {1})) + constant(floats("v", {1}, {0.25F})) +
                      node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}, real_attribute("epsilon", 0)),
                  row) == std::vector<float>{-19, -7, 1, 29});

  // Spread along any axis, from either side.
  const Value grid = value({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(floats_of(constant(floats("c", {2, 1}, {10, 20})) + node("Mul", {"x", "c"}, {"y"}), grid) == std::vector<float>{10, 20, 60, 80, 50, 60, 140, 160});
  CHECK(floats_of(constant(floats("c", {2, 1, 1}, {8, 16})) + node("Div", {"c", "x"}, {"y"}), value({2, 1, 2}, {1, 2, 4, 8})) == std::vector<float>{8, 4, 4, 2});
  CHECK(floats_of(constant(floats("c", {}, {0.5F})) + node("Add", {"x", "c"}, {"y"}), row) == std::vector<float>{-3.5F, -0.5F, 1.5F, 8.5F});
  CHECK(floats_of(constant(floats("w", {2, 3}, {1, 2, 3, 4, 5, 6})) + node("MatMul", {"x", "w"}, {"y"}), value({1, 2}, {1, 10})) == std::vector<float>{41, 52, 63});
  const std::vector<float> soft = floats_of(node("Softmax", {"x"}, {"y"}, attribute("axis", 1)), value({1, 2}, {1000, 1000 + std::log(3.F)}));
  CHECK(std::abs(soft[1] - 0.75F) < 1e-4F);

  // The way from maps to a matrix: [batch, 3, 1, 1] to [batch, 3], as the classifier goes it.
  const std::string flatten = node("Shape", {"x"}, {"s"}) + node("Cast", {"s"}, {"s32"}, attribute("to", 6)) +
                              node("Slice", {"s32"}, {"n"}, attribute("axes", std::vector<std::int64_t>{0}) + attribute("starts", std::vector<std::int64_t>{0}) + attribute("ends", std::vector<std::int64_t>{1})) +
                              constant(stored_tensor("rest", {1}, 7, raw(std::vector<std::int64_t>{-1}))) + node("Concat", {"n", "rest"}, {"to"}, attribute("axis", 0)) +
                              node("Reshape", {"x", "to"}, {"y"});
  CHECK(network(flatten).run(value({2, 3, 1, 1}, {1, 2, 3, 4, 5, 6})).shape == std::vector<Index>{2, 3});
}

TEST_CASE("network: the values of the nodes can be watched", "[layers][network]") {
  using namespace onnx;
  const Network net = network(node("Relu", {"x"}, {"a"}) + node("Add", {"a", "a"}, {"b"}) + node("Mul", {"b", "x"}, {"y"}));
  CHECK(net.count("Add") == 1);
  std::string seen;
  const Value y = net.run(value({2}, {-1, 3}), [&](const datasets::OnnxNode& n, Value& v) { seen += fmt::format("{}={} ", n.outputs[0], v.floats[1]); });
  CHECK(seen == "a=3 b=6 y=18 ");
  CHECK(y.floats == std::vector<float>{0, 18});
  // … and changed.
  const Value changed = net.run(value({2}, {-1, 3}), [](const datasets::OnnxNode& n, Value& v) {
    if (n.op == "Relu") v.floats = {5, 7};
  });
  CHECK(changed.floats == std::vector<float>{-10, 42});
}

TEST_CASE("network: what does not fit is named in one line", "[layers][network]") {
  using namespace onnx;
  CHECK(says(fault(node("Resize", {"x"}, {"y"})), {"node y (Resize)", "not known"}));
  CHECK(says(fault(node("Relu", {"x"}, {"y"}, attribute("colour", 1))), {"'colour'", "not known"}));
  CHECK(says(fault(node("Relu", {"x"}, {"y"}, bytes(7, "com.others"))), {"com.others"}));
  // A circle: each takes what the other gives.
  CHECK(says(fault(node("Add", {"x", "b"}, {"a"}) + node("Relu", {"a"}, {"b"}) + node("Relu", {"b"}, {"y"})), {"node a (Add)", "'b'", "nothing before it"}));
  CHECK(says(fault(node("Relu", {"y"}, {"y"})), {"'y'", "nothing before it"}));
  CHECK(says(fault(node("Relu", {"x"}, {"y"}) + node("Relu", {"x"}, {"y"})), {"gives 'y' twice"}));
  CHECK(says(fault(node("Relu", {"x"}, {"x"})), {"gives 'x' twice"}));
  CHECK(says(fault(node("Relu", {"x"}, {"z"})), {"nothing in the network gives its output 'y'"}));
  CHECK(says(fault(node("Relu", {"x", "x"}, {"y"})), {"2 inputs, expected 1 to 1"}));
  CHECK(says(fault(node("Relu", {"x"}, {"y", "z"})), {"expected one output"}));
  CHECK(says(fault(node("Add", {"x", ""}, {"y"})), {"input 2 is left out"}));
  CHECK(says(fault(node("Constant", {}, {"y"})), {"value is missing"}));
  CHECK(says(fault(node("Relu", {"x"}, {"y"}, attribute("colour", 1) + attribute("colour", 1))), {"'colour'"}));
  CHECK(says(refusal([] { network(node("Relu", {"x"}, {"y"}), 13); }), {"opset 13"}));
  // Shapes.
  CHECK(says(fault(constant(floats("c", {3}, {1, 2, 3})) + node("Add", {"x", "c"}, {"y"})), {"node y (Add)", "(1, 1, 2) and (3)"}));
  CHECK(says(fault(constant(floats("w", {1, 2, 2}, {1, 2, 3, 4})) + node("Conv", {"x", "w"}, {"y"})), {"1 groups do not fit"}));
  CHECK(says(fault(constant(floats("w", {1, 1, 5}, {1, 2, 3, 4, 5})) + node("Conv", {"x", "w"}, {"y"})), {"a window of 5 does not fit"}));
  CHECK(says(fault(constant(floats("w", {1, 1, 1}, {1})) + node("Conv", {"x", "w"}, {"y"}, attribute("pads", std::vector<std::int64_t>{INT64_MAX, 1}))), {"pads holds"}));
  CHECK(says(fault(constant(floats("w", {1, 1, 1}, {1})) + node("Conv", {"x", "w"}, {"y"}, attribute("group", 0))), {"0 groups"}));
  CHECK(says(fault(constant(floats("w", {1 << 20, 1, 1}, std::vector<float>(1 << 20))) + node("Conv", {"x", "w"}, {"y"}, attribute("pads", std::vector<std::int64_t>{1 << 10, 0}))), {"too many numbers"}));
  CHECK(says(fault(constant(floats("w", {1, 1, 1}, {1})) + node("Conv", {"x", "w"}, {"y"}, attribute("pads", 1))), {"pads is of another kind"}));
  CHECK(says(fault(constant(floats("w", {3, 2}, {1, 2, 3, 4, 5, 6})) + node("MatMul", {"x", "w"}, {"y"}), value({1, 2}, {1, 2})), {"(1, 2) and (3, 2)"}));
  CHECK(says(fault(node("Shape", {"x"}, {"s"}) + node("Relu", {"s"}, {"y"})), {"expected floats"}));
  CHECK(says(fault(node("Softmax", {"x"}, {"y"}, attribute("axis", 9))), {"axis 9"}));
  const auto reshaped = [](std::vector<std::int64_t> to) {
    return fault(constant(stored_tensor("to", {static_cast<std::int64_t>(to.size())}, 7, raw(to))) + node("Reshape", {"x", "to"}, {"y"}));
  };
  CHECK(reshaped({-1, 1}) == "accepted");
  CHECK(reshaped({0, 2}) == "accepted");
  for (const auto& to : std::vector<std::vector<std::int64_t>>{{3}, {-1, -1}, {-2}, {INT64_MAX, INT64_MAX}, {-1, 0, 0, 0, 0}, {-1, 4}, {}})
    CHECK(says(reshaped(to), {"cannot take the shape"}));
}

TEST_CASE("network: no changed byte of a model does harm", "[layers][network]") {
  using namespace onnx;
  const std::string good = model(constant(floats("w", {2, 1, 2}, {1, 10, 0, -1})) + node("Conv", {"x", "w"}, {"c"}, attribute("pads", std::vector<std::int64_t>{1, 1})) +
                                 node("MaxPool", {"c"}, {"m"}, attribute("kernel_shape", std::vector<std::int64_t>{2})) + node("GlobalAveragePool", {"m"}, {"g"}) +
                                 node("HardSigmoid", {"g"}, {"h"}) + node("Mul", {"m", "h"}, {"p"}) + constant(stored_tensor("to", {2}, 7, raw(std::vector<std::int64_t>{1, -1}))) +
                                 node("Reshape", {"p", "to"}, {"r"}) + node("Softmax", {"r"}, {"y"}));
  const Value x = value({1, 1, 5}, {1, 2, 3, 4, 5});
  numerics::Random random(8);
  int refused = 0;
  for (int change = 0; change < 3000; ++change) {
    std::string bad = good;
    bad[random.bits() % bad.size()] = static_cast<char>(random.bits() & 0xFF);
    refused += refusal([&] { Network(datasets::parse_onnx(bad, "net.onnx")).run(x); }) != "accepted";
  }
  CHECK(refused > 1000);
  CHECK(refusal([&] { Network(datasets::parse_onnx(good, "net.onnx")).run(x); }) == "accepted");
}

TEST_CASE("drawn text: letters of the same form upside down, and what is not drawn", "[layers][network]") {
  for (const char letter : std::string("HINOSXZ0")) {
    const auto picture = draw_text(std::string(1, letter));
    CHECK((turned(picture) == picture));
  }
  CHECK((turned(draw_text("NOON")) == draw_text("NOON")));
  CHECK_FALSE((turned(draw_text("L")) == draw_text("L")));
  CHECK((turned(turned(draw_text("ABC", {.bold = true}))) == draw_text("ABC", {.bold = true})));
  // Light on dark is the other way round, dot by dot.
  const auto dark = draw_text("Q7"), light = draw_text("Q7", {.light_on_dark = true});
  for (std::size_t i = 0; i < dark.size(); ++i) REQUIRE(dark.data()[i] + light.data()[i] == 1);
  CHECK(says(refusal([] { draw_text("a"); }), {"'a'"}));
  CHECK(says(refusal([] { draw_text(""); }), {"0 letters"}));
  CHECK(says(refusal([] { draw_text(std::string(100, 'A')); }), {"100 letters"}));
}

TEST_CASE("direction classifier: a picture keeps its proportions and stands at the left", "[layers][network]") {
  auto picture = tensor::empty<2>({24, 10});
  picture.fill(1);
  picture(0, 0) = 0;
  auto wide = tensor::empty<2>({2, 100});
  wide.fill(0.25F);
  const std::vector<tensor::Tensor<2>> pictures{picture, wide};
  const auto input = DirectionClassifier::prepare(pictures);
  CHECK(input(0, 0, 0, 0) == -1);
  CHECK(input(0, 2, 47, 19) == 1);
  CHECK(input(0, 1, 47, 20) == 0);
  CHECK(input(1, 0, 20, 191) == -0.5F);
  // Twice the size: one pixel between two middles is three quarters of the nearer one.
  CHECK(input(0, 0, 0, 1) == -0.5F);
}

TEST_CASE("direction classifier: its answers are those of ONNX Runtime", "[layers][network][onnxruntime]") {
  const fs::path source(ATTENTION_SOURCE_DIR);
  const fs::path model = source / "datasets/data/text_direction" / DirectionClassifier::file_name;
  if (!fs::exists(model)) {
    WARN("skipped: the text direction classifier is not there; ./course run 06 fetches it");
    return;
  }
  const DirectionClassifier classifier(model);
  std::vector<tensor::Tensor<2>> pictures;
  for (const char* text : {"ATTENTION", "RUNG BY RUNG", "Q", "NOON"})
    for (const bool light : {false, true}) {
      pictures.push_back(draw_text(text, {.light_on_dark = light}));
      pictures.push_back(turned(pictures.back()));
    }
  tensor::Tensor<4> drawn = DirectionClassifier::prepare(pictures);
  // Beside the drawn ones some of noise, also far from what it was trained with.
  tensor::Tensor<4> input = tensor::empty<4>({pictures.size() + 4, 3, 48, 192});
  std::copy_n(drawn.data(), drawn.size(), input.data());
  numerics::Random random(6);
  for (std::size_t i = drawn.size(); i < input.size(); ++i) input.data()[i] = random.normal() * (i % 2 ? 1.F : 3.F);
  const std::vector<Direction> found = classifier.run(input);
  REQUIRE(found.size() == pictures.size() + 4);
  for (const Direction& d : found) {
    CHECK(std::abs(d.upright + d.turned - 1) < 1e-5F);
    CHECK(d.gates.size() == 9);
  }

  const fs::path modules = fs::read_symlink("/proc/self/exe").parent_path().parent_path().parent_path() / "peers/node_modules";
  if (!fs::exists(modules / "onnxruntime-node") || std::system("node --version > /dev/null 2>&1") != 0) {
    WARN("skipped: onnxruntime-node is not there; ./course setup --peers installs it");
    return;
  }
  const Scratch scratch;
  put(scratch / "input", {reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)});
  const std::string command = fmt::format("node '{}' '{}' '{}' '{}' '{}' {} 3 48 192 > '{}' 2>&1", (source / "tests/onnxruntime_model.mjs").string(), modules.string(), model.string(),
                                          (scratch / "input").string(), (scratch / "output").string(), found.size(), (scratch / "log").string());
  const int status = std::system(command.c_str());
  INFO(get(scratch / "log"));
  REQUIRE(status == 0);
  const std::string bytes = get(scratch / "output");
  REQUIRE(bytes.size() == found.size() * 2 * sizeof(float));
  for (std::size_t n = 0; n < found.size(); ++n) {
    float expected[2];
    std::memcpy(expected, bytes.data() + n * sizeof expected, sizeof expected);
    INFO("picture " << n << ": " << found[n].turned << ", ONNX Runtime " << expected[1]);
    CHECK(std::abs(found[n].upright - expected[0]) < 1e-4F);
    CHECK(std::abs(found[n].turned - expected[1]) < 1e-4F);
  }
}

TEST_CASE("direction classifier: another network is refused", "[layers][network]") {
  const Scratch scratch;
  put(scratch / "net.onnx", onnx::model(onnx::node("Relu", {"x"}, {"y"})));
  CHECK(says(refusal([&] { DirectionClassifier classifier(scratch / "net.onnx"); }), {"net.onnx", "another network"}));
}
