// What a climb does with rungs and cost models that are not as they should be.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "dot_product.hpp"
#include "ladder/climb.hpp"
#include "ladder/publish.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"
#include "rungs/rungs.hpp"

using namespace attention;
using namespace attention::dot_product;
using tests::contains;

namespace {

std::vector<ladder::Measurement> climb(const DotProduct& m, const char* shape = "heads=2,queries=40,dim=16") {
  const auto any = ladder::publish(m);
  const auto trial = any->make(ladder::parse_shape(shape, m.keys), 1, ladder::Hardness::plain);
  machine::Roofs roofs;
  ladder::ClimbOptions options;
  options.seconds = 0.001;
  return ladder::climb(*any, *trial, options, roofs);
}

const auto& rung(const char* name) {
  return *std::ranges::find(mechanism().ladder, std::string(name), [](const auto& r) { return r.name; });
}

}  // namespace

TEST_CASE("a rung whose workspace does not fit is skipped with a word", "[ladder]") {
  DotProduct m = mechanism();
  m.ladder = {rung("loops"), rung("fused")};
  m.ladder[0].workspace = [](const Problem&) { return std::size_t{1} << 60U; };
  m.ladder[0].run = [](const Problem&, Output&) { FAIL("it was tried"); };
  const auto found = climb(m);
  CHECK(found[0].status == ladder::Status::skipped);
  CHECK_THAT(found[0].reason, contains("needs"));
  CHECK(found[1].status == ladder::Status::ok);
}

TEST_CASE("a wrong rung ends the climb", "[ladder]") {
  DotProduct m = mechanism();
  m.ladder = {rung("fused")};
  m.ladder[0].run = [](const Problem& p, Output& out) {
    fused(p, out);
    out.output.data()[3] += 0.01F;
  };
  CHECK_THROWS_AS(climb(m), program::CheckFailed);
}

TEST_CASE("a rung that is right only at first ends the climb", "[ladder]") {
  DotProduct m = mechanism();
  m.ladder = {rung("fused")};
  static int calls;
  calls = 0;
  m.ladder[0].run = [](const Problem& p, Output& out) {
    fused(p, out);
    if (++calls > 3) out.output.data()[0] = 1e3F;
  };
  CHECK_THROWS_WITH(climb(m), contains("after timing"));
}

TEST_CASE("a share above 102 % of the roof is a broken roof and ends the climb", "[ladder]") {
  DotProduct m = mechanism();
  m.ladder = {rung("fused")};
  m.cost = [](const Problem& p) { return cost(p) * 1000; };
  CHECK_THROWS_WITH(climb(m), contains("roof is broken"));
}

TEST_CASE("a slow rung runs on a sample that is marked", "[ladder]") {
  DotProduct m = mechanism();
  m.ladder = {rung("loops"), rung("loops"), rung("loops"), rung("fused")};
  m.ladder[1].block_rows = 700;
  const auto any = ladder::publish(m);
  const auto trial = any->make(ladder::parse_shape("queries=3000,keys=3000,dim=32", m.keys), 1, ladder::Hardness::plain);
  machine::Roofs roofs;
  ladder::ClimbOptions options;
  options.seconds = 0.001;
  options.sample_above_s = 0.1;
  options.whole = {2};
  const auto found = ladder::climb(*any, *trial, options, roofs);
  CHECK(found[0].status == ladder::Status::sampled);
  CHECK_THAT(found[0].reason, contains("of 3000 rows"));
  CHECK(found[0].timed_rows >= 8);
  CHECK(found[0].timed_rows < 3000);
  CHECK(found[0].rows == 3000);
  // The single times are scaled up like their median.
  CHECK(std::abs(numerics::median(found[0].times_s) / found[0].median_s - 1) < 1e-12);
  // As many rows as a thread takes at once; and all of them where that is asked.
  CHECK(found[1].status == ladder::Status::sampled);
  CHECK(found[1].timed_rows >= 700);
  CHECK(found[2].status == ladder::Status::ok);
}
