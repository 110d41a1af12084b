#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "ladder/climb.hpp"
#include "ladder/registry.hpp"
#include "ladder/results.hpp"
#include "ladder/roof.hpp"
#include "ladder/sample_rows.hpp"
#include "ladder/sweep.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"
#include "program/json.hpp"

using namespace attention;
using tests::contains;
using ladder::Index;

namespace {

const std::vector<ladder::ShapeKey> keys{{"heads", "", 1, "", 1, {}}, {"queries", "", 512, "", 1, {}}, {"keys", "", 512, "queries", 1, {}}};

}  // namespace

TEST_CASE("a shape is read with its defaults", "[unit]") {
  const ladder::Shape shape = ladder::parse_shape("queries=7", keys);
  CHECK(shape["heads"] == 1);
  CHECK(shape["queries"] == 7);
  CHECK(shape["keys"] == 7);
  CHECK(ladder::parse_shape("", keys).text() == "heads=1,queries=512,keys=512");
  CHECK(shape.with("heads", 3).text() == "heads=3,queries=7,keys=7");
  CHECK(ladder::parse_shape("queries=1000000000000", keys)["queries"] == 1000000000000);
}

TEST_CASE("a wrong shape is refused with its reason", "[unit]") {
  for (const auto& [text, reason] : {std::pair{"rows=3", "no 'rows'"}, {"heads=0", "below 1"}, {"heads=-1", "below 1"},
                                     {"heads", "no value"}, {"heads=", "not a whole number"}, {"heads=2x", "not a whole number"},
                                     {"heads=1.5", "not a whole number"}, {"heads=99999999999999999999", "too large"},
                                     {"heads=1,heads=2", "twice"}, {",", "no ''"}}) {
    INFO(text);
    CHECK_THROWS_WITH(ladder::parse_shape(text, keys), contains(reason));
  }
}

TEST_CASE("a sample holds the first, the last and the rows at tile edges", "[unit]") {
  const std::vector<Index> rows = ladder::sample_rows(1000, 64, {12, 384});
  for (const Index row : {0, 11, 12, 383, 384, 767, 768, 983, 984, 995, 996, 999}) {
    INFO(row);
    CHECK((std::ranges::count(rows, row) == 1 || row == 983 || row == 984));
  }
  CHECK(std::ranges::is_sorted(rows));
  CHECK(rows.size() <= 64);
  CHECK(rows.size() >= 56);
  CHECK(ladder::sample_rows(5, 9, {2}) == std::vector<Index>{0, 1, 2, 3, 4});
  CHECK(ladder::sample_rows(1, 1, {2}) == std::vector<Index>{0});
}

TEST_CASE("the roof that binds is the slowest", "[unit]") {
  const machine::RoofValues rates{.fma = 100, .read = 10, .write = 5, .copy = 8, .exp = 4, .reciprocal = 2};
  CHECK(ladder::binding_roof({.flops = 1000, .bytes = 10, .exps = 1, .reciprocals = 0}, rates, true).kind == "fma");
  CHECK(ladder::binding_roof({.flops = 1000, .bytes = 1000, .exps = 1, .reciprocals = 0}, rates, true).kind == "bandwidth");
  CHECK(ladder::binding_roof({.flops = 1000, .bytes = 1000, .exps = 1, .reciprocals = 0}, rates, false).kind == "fma");
  CHECK(ladder::binding_roof({.flops = 10, .bytes = 1, .exps = 100, .reciprocals = 0}, rates, true).seconds == 25);
  // Memory: the larger rate of reading and of both at once.
  machine::RoofValues side_by_side = rates;
  side_by_side.copy = 12;
  CHECK(ladder::binding_roof({.flops = 1, .bytes = 1200}, rates, true).seconds == 120);
  CHECK(ladder::binding_roof({.flops = 1, .bytes = 1200}, side_by_side, true).seconds == 100);
  // Products of bfloat16 have a roof of their own where there is an instruction for them, else that of float32.
  machine::RoofValues other = rates;
  other.bf16 = 200;
  CHECK(ladder::binding_roof({.flops = 1000}, other, false, true).kind == "bf16");
  CHECK(ladder::binding_roof({.flops = 1000}, other, false, true).seconds == 5);
  CHECK(ladder::binding_roof({.flops = 1000}, other, false, false).kind == "fma");
  other.bf16 = other.fma;
  CHECK(ladder::binding_roof({.flops = 1000}, other, false, true).kind == "fma");
}

TEST_CASE("a shape's values may have names", "[unit]") {
  const std::vector<ladder::ShapeKey> keys{{"heads", "", 1, "", 1, {}}, {"kind", "", 1, "", 0, {}, {"plain", "half"}}};
  const ladder::Shape shape = ladder::parse_shape("kind=plain", keys);
  CHECK(shape["kind"] == 0);
  CHECK(shape.text() == "heads=1,kind=plain");
  CHECK(ladder::parse_shape("", keys).text() == "heads=1,kind=half");
  CHECK(shape == ladder::Shape({{"heads", 1}, {"kind", 0}}));
  CHECK_THROWS_WITH(ladder::parse_shape("kind=0", keys), contains("not one of plain, half"));
}

TEST_CASE("an unknown mechanism or rung is refused with what there is", "[unit]") {
  const auto& all = ladder::all_mechanisms();
  REQUIRE_FALSE(all.empty());
  CHECK_THROWS_WITH(ladder::find_mechanism(all, "dot"), contains(all.front()->name()));
  CHECK_THROWS_WITH(all.front()->rung_index("nope"), contains(all.front()->rungs().front().name));
}

TEST_CASE("a small ladder is climbed and its figures hang together", "[ladder]") {
  machine::Roofs roofs;
  for (const auto& mechanism : ladder::all_mechanisms()) {
    // The smallest standard shape, cut down: every length a sixteenth.
    const ladder::Shape standard = ladder::parse_shape(mechanism->standard_shapes().front().text, mechanism->keys());
    ladder::Shape small = standard;
    for (const auto& [key, value] : standard.values()) small = small.with(key, value > 16 ? value / 16 : value);
    const auto trial = mechanism->make(small, 1, ladder::Hardness::plain);
    ladder::ClimbOptions options;
    options.threads = {1, 2};
    options.seconds = 0.01;
    const std::vector<ladder::Measurement> found = ladder::climb(*mechanism, *trial, options, roofs);
    REQUIRE(found.size() == 2 * mechanism->rungs().size());
    for (const ladder::Measurement& m : found) {
      INFO(m.mechanism << " / " << m.rung);
      if (m.status == ladder::Status::skipped) {
        CHECK(m.threads == 2);
        continue;
      }
      CHECK(m.median_s > 0);
      CHECK(m.roof_share > 0);
      CHECK(m.roof_share <= 1.02);
      CHECK(m.max_error <= m.error_bound);
      CHECK(m.checked_rows > 0);
      CHECK(m.times_s.size() == static_cast<std::size_t>(m.runs));
      CHECK(std::abs(numerics::median(m.times_s) / m.median_s - 1) < 1e-12);
      CHECK(std::abs(1e9 * m.gflops * m.median_s / m.cost.flops - 1) < 1e-12);
      const Json json = ladder::to_json(m);
      CHECK(json.at("times_s").size() == m.times_s.size());
      CHECK(json.at("cost").at("flops") == m.cost.flops);
      for (const char* key : {"mechanism", "rung", "shape", "threads", "status", "reason", "median_s", "spread_s", "gflops",
                              "gbytes_per_s", "roof_kind", "roof_value", "roof_share", "peak_extra_bytes", "max_error", "checked_rows"})
        CHECK(json.contains(key));
    }
    const std::string csv = ladder::to_csv(found);
    CHECK(static_cast<std::size_t>(std::ranges::count(csv, '\n')) == found.size() + 1);
  }
}
