// What CBAM must do whatever the numbers: for every rung.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "cbam.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "machine/affinity.hpp"
#include "program/error.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

CbamProblem sample(const char* shape) { return make_cbam(ladder::parse_shape(shape, cbam().keys), 17, ladder::Hardness::plain); }

}  // namespace

TEST_CASE("cbam: weights of zero leave a quarter of the maps", "[cbam]") {
  CbamProblem p = sample("batch=3,channels=37,height=19,width=11,reduction=4");
  p.reduce_weight.fill(0);
  p.expand_weight.fill(0);
  p.spatial_weight.fill(0);
  for_every_rung(cbam(), [&](const auto& rung) {
    CbamOutput out;
    rung.run(p, out);
    for (const float gate : out.channel_gate) REQUIRE(gate == 0.5F);
    for (const float gate : out.spatial_gate) REQUIRE(gate == 0.5F);
    for (std::size_t i = 0; i < p.input.size(); ++i) REQUIRE(out.output.data()[i] == p.input.data()[i] / 4);
  });
}

TEST_CASE("cbam: moving the places about leaves the channel gates as they are", "[cbam]") {
  const CbamProblem p = sample("batch=2,channels=33,height=13,width=17,reduction=4");
  CbamProblem q = p;
  const Index places = p.places();
  for (Index m = 0; m < p.batch() * p.channels(); ++m)
    for (Index i = 0; i < places; ++i) q.input.data()[m * places + i] = p.input.data()[m * places + (i * 5 + 3) % places];
  for_every_rung(cbam(), [&](const auto& rung) {
    CbamOutput of_p;
    CbamOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (std::size_t i = 0; i < of_p.channel_gate.size(); ++i)
      REQUIRE(std::abs(of_p.channel_gate.data()[i] - of_q.channel_gate.data()[i]) < 1e-6F);
  });
}

TEST_CASE("cbam: a spatial gate reaches as far as its kernel and no farther", "[cbam]") {
  // The channel gates fixed at a half: only the spatial gate can carry a change from place to place.
  CbamProblem p = sample("batch=1,channels=6,height=40,width=21,kernel=7");
  p.expand_weight.fill(0);
  CbamProblem q = p;
  const Index y = 20;
  const Index x = 9;
  q.input.data()[y * 21 + x] += 50;
  for_every_rung(cbam(), [&](const auto& rung) {
    CbamOutput of_p;
    CbamOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (Index row = 0; row < 40; ++row)
      for (Index column = 0; column < 21; ++column) {
        const bool near = std::abs(row - y) <= 3 && std::abs(column - x) <= 3;
        const Index i = row * 21 + column;
        REQUIRE((of_p.spatial_gate_of(0)[i] != of_q.spatial_gate_of(0)[i]) == near);
      }
  });
}

TEST_CASE("cbam: a single 1 in the middle of the mean's kernel is the sigmoid of the mean of F'", "[cbam]") {
  CbamProblem p = sample("batch=2,channels=5,height=9,width=20,kernel=3");
  p.spatial_weight.fill(0);
  p.spatial_weight(0, 1, 1) = 1;
  for_every_rung(cbam(), [&](const auto& rung) {
    CbamOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index i = 0; i < p.places(); ++i) {
        double mean = 0;
        for (Index c = 0; c < 5; ++c)
          mean += static_cast<double>(out.channel_gate_of(b)[c]) * static_cast<double>(p.map_of(b, c)[i]) / 5;
        REQUIRE(std::abs(static_cast<double>(out.spatial_gate_of(b)[i]) - 1 / (1 + std::exp(-mean))) < 1e-6);
      }
  });
}

TEST_CASE("cbam: NaN and infinity come out where the reference has them", "[cbam]") {
  const CbamProblem plain = sample("batch=2,channels=20,height=9,width=21,reduction=4,kernel=3");
  std::vector<CbamProblem> problems(4, plain);
  problems[0].input(1, 3, 4, 8) = std::numeric_limits<float>::quiet_NaN();
  problems[1].input(0, 19, 0, 0) = std::numeric_limits<float>::infinity();
  problems[2].reduce_weight(4, 2) = std::numeric_limits<float>::quiet_NaN();
  problems[3].spatial_weight(1, 0, 2) = std::numeric_limits<float>::quiet_NaN();
  for (const CbamProblem& p : problems) {
    const auto trial = ladder::make_trial(cbam(), p);
    for (std::size_t rung = 0; rung < cbam().ladder.size(); ++rung) {
      INFO(cbam().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("cbam: bands of one row, and more threads than images, give the same bits", "[cbam]") {
  // 700 channels of 130 places: a band holds no more than one row.
  const CbamProblem p = sample("batch=2,channels=700,height=9,width=130,kernel=7");
  for (const auto& rung : cbam().ladder) {
    if (!rung.parallel) continue;
    INFO(rung.name);
    CbamOutput one;
    CbamOutput three;
    machine::use_threads(1);
    rung.run(p, one);
    machine::use_threads(3);
    rung.run(p, three);
    CHECK(std::equal(one.output.begin(), one.output.end(), three.output.begin()));
  }
}

TEST_CASE("cbam: an even kernel is refused", "[cbam]") { CHECK_THROWS_AS(sample("channels=2,height=4,kernel=6"), program::UserError); }
