// What a non-local block must do whatever the numbers: for every rung.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "ladder/publish.hpp"
#include "machine/affinity.hpp"
#include "non_local.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

NonLocalProblem sample(const char* shape, ladder::Hardness hardness = ladder::Hardness::plain) {
  return make_non_local(ladder::parse_shape(shape, non_local().keys), 11, hardness);
}

/// Runs the body for every rung of the ladder, with two threads.
template <class Body>
void for_every_rung(Body body) {
  machine::use_threads(2);
  for (const auto& rung : non_local().ladder) {
    INFO(rung.name);
    body(rung);
  }
}

}  // namespace

TEST_CASE("non-local: with W_z = 0 the block is the identity", "[non_local]") {
  // The paper starts training from here (section 4.1): a block put into a trained network changes nothing at first.
  NonLocalProblem p = sample("batch=2,channels=10,height=7,width=15");
  p.out_weight.fill(0);
  for_every_rung([&](const auto& rung) {
    NonLocalOutput out;
    rung.run(p, out);
    CHECK(std::equal(p.input.begin(), p.input.end(), out.output.begin()));
  });
}

TEST_CASE("non-local: θ = 0 gives every position the mean of the map", "[non_local]") {
  NonLocalProblem p = sample("channels=8,height=5,width=13");
  p.theta.fill(0);
  for_every_rung([&](const auto& rung) {
    NonLocalOutput out;
    rung.run(p, out);
    for (Index c = 0; c < 8; ++c) {
      double back = 0;
      for (Index e = 0; e < 4; ++e)
        for (Index in = 0; in < 8; ++in) {
          double mean = 0;
          for (Index i = 0; i < 65; ++i) mean += static_cast<double>(p.input.data()[in * 65 + i]) / 65;
          back += static_cast<double>(p.out_weight.data()[c * 4 + e]) * static_cast<double>(p.g.data()[e * 8 + in]) * mean;
        }
      for (Index i = 0; i < 65; ++i)
        REQUIRE(std::abs(static_cast<double>(out.output.data()[c * 65 + i] - p.input.data()[c * 65 + i]) - back) < 2e-6);
    }
  });
}

TEST_CASE("non-local: a constant map stays constant", "[non_local]") {
  const NonLocalProblem p = sample("batch=2,channels=6,height=9,width=11", ladder::Hardness::equal_keys);
  for_every_rung([&](const auto& rung) {
    NonLocalOutput out;
    rung.run(p, out);
    for (Index plane = 0; plane < 12; ++plane)
      for (Index i = 1; i < 99; ++i) REQUIRE(std::abs(out.output.data()[plane * 99 + i] - out.output.data()[plane * 99]) < 2e-6F);
    if (out.weights.shape()[0] != 0)
      for (const float weight : out.weights) REQUIRE(std::abs(weight - 1.F / 99) < 1e-7F);
  });
}

TEST_CASE("non-local: positions moved about come out moved about", "[non_local]") {
  // The block knows no neighbourhood: distance plays no part.
  const NonLocalProblem p = sample("channels=12,height=6,width=17");
  NonLocalProblem moved = p;
  const auto from = [](Index i) { return (i * 37 + 5) % 102; };
  for (Index c = 0; c < 12; ++c)
    for (Index i = 0; i < 102; ++i) moved.input.data()[c * 102 + i] = p.input.data()[c * 102 + from(i)];
  for_every_rung([&](const auto& rung) {
    NonLocalOutput a;
    NonLocalOutput b;
    rung.run(p, a);
    rung.run(moved, b);
    for (Index c = 0; c < 12; ++c)
      for (Index i = 0; i < 102; ++i)
        REQUIRE(std::abs(b.output.data()[c * 102 + i] - a.output.data()[c * 102 + from(i)]) < 1e-5F);
  });
}

TEST_CASE("non-local: one position sees itself alone", "[non_local]") {
  const NonLocalProblem p = sample("channels=4,height=1");
  for_every_rung([&](const auto& rung) {
    NonLocalOutput out;
    rung.run(p, out);
    for (Index c = 0; c < 4; ++c) {
      double z = static_cast<double>(p.input.data()[c]);
      for (Index e = 0; e < 2; ++e)
        for (Index in = 0; in < 4; ++in)
          z += static_cast<double>(p.out_weight.data()[c * 2 + e]) * static_cast<double>(p.g.data()[e * 4 + in]) *
               static_cast<double>(p.input.data()[in]);
      CHECK(std::abs(static_cast<double>(out.output.data()[c]) - z) < 1e-6);
    }
  });
}

TEST_CASE("non-local: NaN and infinity come out where the reference has them", "[non_local]") {
  const NonLocalProblem plain = sample("batch=2,channels=10,height=8,width=15");
  std::vector<NonLocalProblem> problems(4, plain);
  problems[0].input(1, 3, 7, 14) = std::numeric_limits<float>::quiet_NaN();
  problems[1].input(0, 0, 0, 0) = std::numeric_limits<float>::infinity();
  problems[2].out_weight(9, 2) = std::numeric_limits<float>::quiet_NaN();
  problems[3].g(1, 4) = -std::numeric_limits<float>::infinity();
  for (const NonLocalProblem& p : problems) {
    const auto trial = ladder::make_trial(non_local(), p);
    for (std::size_t rung = 0; rung < non_local().ladder.size(); ++rung) {
      INFO(non_local().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
