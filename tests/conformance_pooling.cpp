// MaxPool, AveragePool and the pools over whole maps on cases of our own, held against windows that are walked.
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "conformance_window.hpp"

using namespace attention;
using namespace attention::tests;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A place of a plane counted by columns: the first axis is the first to change.
Index by_columns(Index place, const std::vector<Index>& lengths) {
  Index at = 0;
  std::vector<Index> parts(lengths.size());
  for (std::size_t axis = lengths.size(); axis-- > 0;) parts[axis] = place % lengths[axis], place /= lengths[axis];
  for (std::size_t axis = lengths.size(); axis-- > 0;) at = at * lengths[axis] + parts[axis];
  return at;
}

Index places_of(const WalkedWindow& w) {
  Index places = 1;
  for (const Index length : w.input) places *= length;
  return places;
}

/// Whether a case of this verdict has a line with these words.
bool has(const CaseWriter& w, const char* verdict, const char* words) {
  const std::string text = outcome_of(w).line();
  INFO(text);
  CHECK(text.find(words) != std::string::npos);
  return text.starts_with(verdict);
}

}  // namespace

TEST_CASE("conformance: maxima over windows, with their places in both orders", "[conformance][layers]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    numerics::Random random(seed);
    const WalkedWindow w = random_window(random, true);
    const std::string dtype = seed % 4 == 0 ? "uint8" : seed % 4 == 1 ? "float16" : "float32";
    const Index batch = seed % 43 == 0 ? 0 : one_of(random, {1, 2}), channels = one_of(random, {1, 3});
    const bool columns = random.uniform() < 0.5;
    Array x(dtype, w.input_shape(batch, channels));
    // Few different numbers: of equals the first counts.
    const bool ties = random.uniform() < 0.5;
    for (double& v : x.numbers) v = dtype == "uint8" ? static_cast<double>(random.bits() % (ties ? 3 : 256)) : stored(dtype, ties ? static_cast<double>(random.bits() % 3) - 4 : static_cast<double>(random.normal()) - 2);
    if (dtype != "uint8" && !x.numbers.empty()) {
      if (seed % 3 == 0) x.numbers[random.bits() % x.numbers.size()] = not_a_number;
      if (seed % 6 == 0) x.numbers[random.bits() % x.numbers.size()] = not_a_number;
      if (seed % 5 == 0) x.numbers[random.bits() % x.numbers.size()] = -std::numeric_limits<double>::infinity();
    }
    Array y(dtype, w.shape(batch, channels)), indices("int64", y.shape);
    std::size_t at = 0;
    for (Index plane = 0; plane < batch * channels; ++plane)
      w.visit_outputs([&](const std::vector<Index>& output, Index) {
        double largest = dtype == "uint8" ? 0 : -std::numeric_limits<double>::infinity();
        Index where = -1;
        w.visit_taps(output, [&](Index place, Index) {
          if (place < 0) return;
          const double value = x.numbers[static_cast<std::size_t>(plane * places_of(w) + place)];
          if (where >= 0 && (std::isnan(largest) || !(value > largest || std::isnan(value)))) return;
          largest = value;
          where = place;
        });
        y.numbers[at] = largest;
        indices.numbers[at++] = static_cast<double>(where < 0 ? -1 : plane * places_of(w) + (columns ? by_columns(where, w.input) : where));
      });

    CaseWriter c("MaxPool", 22);
    w.write_to(c, random);
    c.attribute("kernel_shape", w.kernel);
    if (w.ceil_mode || random.uniform() < 0.5) c.attribute("ceil_mode", w.ceil_mode ? 1 : 0);
    if (columns || random.uniform() < 0.5) c.attribute("storage_order", columns ? 1 : 0);
    c.input("X", x);
    CaseWriter wrong = c;
    const bool alone = seed % 10 == 0;
    alone ? c.no_output() : c.output("Y", y);
    if (alone || random.uniform() < 0.7) c.output("Indices", indices);
    INFO("seed " << seed << ": " << c.json.dump());
    CHECK(fault_of(outcome_of(c), alone ? std::vector<std::string>{"windows"} : std::vector<std::string>{"windows", "rows"}) == "");
    if (y.numbers.empty()) continue;
    indices.numbers[random.bits() % y.numbers.size()] += 1;
    wrong.output("Y", y), wrong.output("Indices", indices);
    CHECK(outcome_of(wrong).verdict == conformance::Verdict::failed);
  }
}

TEST_CASE("conformance: means over windows, with and without the padding", "[conformance][layers]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    numerics::Random random(seed);
    const WalkedWindow w = random_window(random, true);
    const std::string dtype = seed % 4 == 1 ? "float16" : "float32";
    const Index batch = seed % 43 == 0 ? 0 : one_of(random, {1, 2}), channels = one_of(random, {1, 3});
    const bool padding = random.uniform() < 0.5;
    Array x(dtype, w.input_shape(batch, channels));
    for (double& v : x.numbers) v = stored(dtype, 0.5 + random.uniform());
    if (seed % 7 == 0 && !x.numbers.empty()) x.numbers[random.bits() % x.numbers.size()] = not_a_number;
    Array y(dtype, w.shape(batch, channels));
    std::size_t at = 0;
    for (Index plane = 0; plane < batch * channels; ++plane)
      w.visit_outputs([&](const std::vector<Index>& output, Index) {
        double sum = 0, count = 0;
        w.visit_taps(output, [&](Index place, Index) {
          if (place >= 0) sum += x.numbers[static_cast<std::size_t>(plane * places_of(w) + place)];
          if (place >= (padding ? -1 : 0)) count += 1;
        });
        y.numbers[at++] = sum / count;
      });

    CaseWriter c("AveragePool", 22);
    w.write_to(c, random);
    c.attribute("kernel_shape", w.kernel);
    if (w.ceil_mode || random.uniform() < 0.5) c.attribute("ceil_mode", w.ceil_mode ? 1 : 0);
    if (padding || random.uniform() < 0.5) c.attribute("count_include_pad", padding ? 1 : 0);
    c.input("X", x);
    CaseWriter wrong = c;
    c.output("Y", y);
    INFO("seed " << seed << ": " << c.json.dump());
    CHECK(fault_of(outcome_of(c), {"rows"}) == "");
    if (y.numbers.empty()) continue;
    double& one = y.numbers[random.bits() % y.numbers.size()];
    one = std::isnan(one) ? 1 : one + 0.02;
    wrong.output("Y", y);
    CHECK(outcome_of(wrong).verdict == conformance::Verdict::failed);
  }
}

TEST_CASE("conformance: pools over whole maps", "[conformance][layers]") {
  std::uint64_t seed = 0;
  for (const auto& shape : std::vector<std::vector<Index>>{{2, 3}, {2, 3, 1}, {1, 2, 17}, {3, 2, 5, 4}, {1, 3, 2, 3, 4}, {2, 2, 2, 2, 2, 2}, {0, 3, 2}})
    for (const char* op : {"GlobalMaxPool", "GlobalAveragePool"})
      for (const char* dtype : {"float32", "float16"}) {
        numerics::Random random(++seed);
        Array x = normal(random, dtype, shape);
        for (double& v : x.numbers) v = stored(dtype, v - 5);
        if (seed % 3 == 0 && !x.numbers.empty()) x.numbers[random.bits() % x.numbers.size()] = not_a_number;
        std::vector<Index> pooled(shape.size(), 1);
        pooled[0] = shape[0], pooled[1] = shape[1];
        Array y(dtype, pooled);
        const std::size_t places = y.numbers.empty() ? 0 : x.numbers.size() / y.numbers.size();
        for (std::size_t plane = 0; plane < y.numbers.size(); ++plane) {
          double largest = -std::numeric_limits<double>::infinity(), sum = 0;
          for (std::size_t i = 0; i < places; ++i) {
            const double v = x.numbers[plane * places + i];
            sum += v;
            largest = std::isnan(v) || std::isnan(largest) ? not_a_number : std::max(largest, v);
          }
          y.numbers[plane] = std::string(op) == "GlobalMaxPool" ? largest : sum / static_cast<double>(places);
        }
        CaseWriter c(op, 22);
        c.input("X", x), c.output("Y", y);
        INFO(c.json.dump());
        CHECK(fault_of(outcome_of(c), {"rows"}) == "");
      }
}

TEST_CASE("conformance: pools that contradict themselves fail, and what is not known is skipped", "[conformance][layers]") {
  const auto made = [](const char* op, auto change) {
    CaseWriter w(op, 22);
    w.input("X", Array("float32", {1, 1, 4, 4}));
    w.attribute("kernel_shape", Json{2, 2});
    change(w);
    if (w.json["outputs"].empty()) w.output("Y", Array("float32", {1, 1, 3, 3}));
    return w;
  };
  for (const char* op : {"MaxPool", "AveragePool"}) {
    CHECK(outcome_of(made(op, [](CaseWriter&) {})).verdict == conformance::Verdict::passed);
    CHECK(has(made(op, [](CaseWriter& w) { w.json["attributes"].erase("kernel_shape"); }), "failed", "kernel_shape is missing"));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("kernel_shape", Json{2}); }), "failed", "kernel_shape has 1 entries"));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("kernel_shape", Json{6, 2}); }), "failed", "a window of 6 does not fit"));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("kernel_shape", Json{5, 2}), w.output("Y", Array("float32", {1, 1, 0, 3})); }), "passed", ""));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("kernel_shape", Json{INT64_MAX, 2}); }), "failed", "kernel_shape holds"));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("ceil_mode", 2); }), "failed", "ceil_mode is 2"));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("pads", Json{0, 0, 0, 0}), w.attribute("auto_pad", "SAME_LOWER"); }), "failed", "exclude"));
    CHECK(has(made(op, [](CaseWriter& w) { w.attribute("colour", 1); }), "skipped", "'colour'"));
    CHECK(has(made(op, [](CaseWriter& w) { w.output("Y", Array("float32", {1, 1, 3, 4})); }), "failed", "expected (1, 1, 3, 3)"));
    CHECK(has(made(op, [](CaseWriter& w) { w.output("Y", Array("float16", {1, 1, 3, 3})); }), "failed", "float16"));
  }
  CHECK(has(made("MaxPool", [](CaseWriter& w) { w.attribute("storage_order", 2); }), "failed", "storage_order is 2"));
  CHECK(has(made("MaxPool", [](CaseWriter& w) { w.no_output(), w.output("I", Array("float32", {1, 1, 3, 3})); }), "failed", "expected int64"));
  CHECK(has(made("MaxPool", [](CaseWriter& w) { w.no_output(), w.output("I", Array("int64", {1, 1, 3, 2})); }), "failed", "expected (1, 1, 3, 3)"));
  CHECK(has(made("MaxPool", [](CaseWriter& w) { w.no_output(), w.no_output(); }), "failed", "no output is expected"));
  CHECK(has(made("MaxPool", [](CaseWriter& w) { w.attribute("count_include_pad", 1); }), "skipped", "'count_include_pad'"));
  CHECK(has(made("AveragePool", [](CaseWriter& w) { w.attribute("count_include_pad", -1); }), "failed", "count_include_pad is -1"));
  // Places are compared as whole numbers: one beside is wrong, however large.
  Array x("uint8", {1, 1, 20000}), y("uint8", {1, 1, 1}), where("int64", {1, 1, 1});
  x.numbers[19998] = y.numbers[0] = 200;
  where.numbers[0] = 19999;
  CaseWriter w("MaxPool", 22);
  w.attribute("kernel_shape", Json{20000});
  w.input("X", x), w.output("Y", y), w.output("Indices", where);
  CHECK(has(w, "failed", "Indices[0, 0, 0] is 19998, expected 19999"));
}
