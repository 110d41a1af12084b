// Conv on cases of our own, held against windows that are walked: any number of axes, strides, dilations, groups, paddings.
#include <algorithm>
#include <limits>

#include "catch.hpp"
#include "conformance_window.hpp"

using namespace attention;
using namespace attention::tests;

namespace {

/// Numbers whose products do not cancel: the standard's tolerance has hardly any absolute part.
Array positive(numerics::Random& random, const std::string& dtype, std::vector<Index> shape) {
  Array array(dtype, std::move(shape));
  for (double& x : array.numbers) x = stored(dtype, 0.25 + random.uniform());
  return array;
}

Array convolved(const WalkedWindow& w, const Array& x, const Array& weight, const Array* bias, Index groups) {
  const Index batch = x.extent(0), in = x.extent(1), out = weight.extent(0), group_in = in / groups, group_out = out / groups;
  Array y(x.dtype, w.shape(batch, out));
  const Index places = batch * in == 0 ? 0 : static_cast<Index>(x.numbers.size()) / (batch * in);
  const Index taps = static_cast<Index>(weight.numbers.size()) / (out * group_in);
  std::size_t at = 0;
  for (Index b = 0; b < batch; ++b)
    for (Index o = 0; o < out; ++o)
      w.visit_outputs([&](const std::vector<Index>& output, Index) {
        double sum = bias ? (*bias)(o) : 0;
        w.visit_taps(output, [&](Index place, Index tap) {
          for (Index c = 0; c < group_in && place >= 0; ++c)
            sum += weight.numbers[static_cast<std::size_t>((o * group_in + c) * taps + tap)] *
                   x.numbers[static_cast<std::size_t>((b * in + o / group_out * group_in + c) * places + place)];
        });
        y.numbers[at++] = sum;
      });
  return y;
}

}  // namespace

TEST_CASE("conformance: convolution over one to three axes with any stride, dilation, group and padding", "[conformance][layers]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    numerics::Random random(seed);
    const WalkedWindow w = random_window(random, false);
    const std::string dtype = seed % 5 == 0 ? "float16" : "float32";
    const Index batch = seed % 41 == 0 ? 0 : one_of(random, {1, 1, 2, 3});
    const Index groups = one_of(random, {1, 1, 2, 3, 8});
    const Index group_in = one_of(random, {1, 1, 2, 3, 7}), group_out = one_of(random, {1, 1, 2, 7, 13});
    std::vector<Index> weight_shape{groups * group_out, group_in};
    weight_shape.insert(weight_shape.end(), w.kernel.begin(), w.kernel.end());
    Array x = positive(random, dtype, w.input_shape(batch, groups * group_in));
    const Array weight = positive(random, dtype, weight_shape);
    const Array bias = positive(random, dtype, {groups * group_out});
    const bool biased = random.uniform() < 0.5;
    if (seed % 7 == 0 && !x.numbers.empty())
      x.numbers[random.bits() % x.numbers.size()] = seed % 2 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    Array y = convolved(w, x, weight, biased ? &bias : nullptr, groups);

    CaseWriter c("Conv", 22);
    w.write_to(c, random);
    if (groups > 1 || random.uniform() < 0.5) c.attribute("group", groups);
    if (random.uniform() < 0.5) c.attribute("kernel_shape", w.kernel);
    c.input("X", x), c.input("W", weight);
    if (biased) c.input("B", bias);
    CaseWriter wrong = c;
    c.output("Y", y);
    INFO("seed " << seed << ": " << c.json.dump());
    std::vector<std::string> rungs{"plain"};
    if (batch > 0) rungs.push_back("patches");
    if (batch > 0 && group_in == 1) rungs.push_back("taps");
    CHECK(fault_of(outcome_of(c), rungs) == "");
    if (y.numbers.empty()) continue;
    double& one = y.numbers[random.bits() % y.numbers.size()];
    one = std::isfinite(one) ? 1.1 * one + 0.2 : 1;
    wrong.output("Y", y);
    CHECK(outcome_of(wrong).verdict == conformance::Verdict::failed);
  }
}

TEST_CASE("conformance: convolutions that contradict themselves fail, and what is not known is skipped", "[conformance][layers]") {
  using conformance::Verdict;
  const auto line = [](auto change) {
    CaseWriter w("Conv", 22);
    w.input("X", Array("float32", {1, 4, 5, 5})), w.input("W", Array("float32", {6, 2, 3, 3}));
    w.attribute("group", 2);
    change(w);
    if (w.json["outputs"].empty()) w.output("Y", Array("float32", {1, 6, 3, 3}));
    return outcome_of(w).line();
  };
  const auto has = [](const std::string& text, const char* verdict, const char* words) {
    return text.starts_with(verdict) && text.find(words) != std::string::npos;
  };
  CHECK(line([](CaseWriter&) {}).starts_with("passed"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("kernel_shape", Json{3, 2}); }), "failed", "kernel_shape is (3, 2)"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("kernel_shape", Json{3}); }), "failed", "kernel_shape is (3)"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("kernel_shape", "3x3"); }), "failed", "kernel_shape is \"3x3\""));
  CHECK(has(line([](CaseWriter& w) { w.attribute("strides", Json{1, 1, 1}); }), "failed", "strides has 3 entries"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("strides", Json{0, 1}); }), "failed", "strides holds 0"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("strides", Json{1.5, 1}); }), "failed", "strides"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("dilations", Json{1, -1}); }), "failed", "dilations holds -1"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("dilations", Json{1, INT64_MAX}); }), "failed", "dilations holds 9223372036854775807"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("dilations", Json{1, UINT64_MAX}); }), "failed", "whole numbers"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("dilations", Json{3, 1}); }), "failed", "a window of 7 does not fit"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("pads", Json{1, 1}); }), "failed", "pads has 2 entries"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("pads", Json{1, 1, -1, 1}); }), "failed", "pads holds -1"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("pads", Json{1, 1, 1, 1}), w.attribute("auto_pad", "SAME_UPPER"); }), "failed", "exclude"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("pads", Json{1, 1, 1, 1}), w.attribute("auto_pad", "VALID"); }), "failed", "exclude"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("auto_pad", "SAME"); }), "failed", "auto_pad"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("auto_pad", 1); }), "failed", "auto_pad"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("group", 3); }), "failed", "3 groups"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("group", 1); }), "failed", "1 groups"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("group", 0); }), "failed", "group is 0"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("transposed", 0); }), "skipped", "'transposed'"));
  CHECK(has(line([](CaseWriter& w) { w.attribute("ceil_mode", 1); }), "skipped", "'ceil_mode'"));
  CHECK(has(line([](CaseWriter& w) { w.input("B", Array("float32", {5})); }), "failed", "expected (6,)"));
  CHECK(has(line([](CaseWriter& w) { w.input("B", Array("float16", {6})); }), "failed", "float16"));
  CHECK(has(line([](CaseWriter& w) { w.output("Y", Array("float32", {1, 6, 3, 2})); }), "failed", "expected (1, 6, 3, 3)"));
  const auto shapes = [&](std::vector<Index> x, std::vector<Index> weight, const char* dtype = "float32") {
    CaseWriter w("Conv", 22);
    w.input("X", Array(dtype, x)), w.input("W", Array(dtype, weight)), w.output("Y", Array(dtype, {1, 1, 1}));
    return outcome_of(w).line();
  };
  CHECK(has(shapes({1, 1}, {1, 1}), "failed", "2 dimensions"));
  CHECK(has(shapes({1, 1, 1}, {1, 1, 1, 1}), "failed", "the weights have 4"));
  CHECK(has(shapes({1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}), "skipped", "4 axes"));
  CHECK(has(shapes({1, 1, 1}, {1, 1, 1}, "float64"), "skipped", "float64"));
  CHECK(has(shapes({1, 1, 3}, {1, 1, 0}), "failed", "kernel_shape holds 0"));
}
