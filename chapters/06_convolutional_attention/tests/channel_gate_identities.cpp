// What squeeze-and-excitation and efficient channel attention must do whatever the numbers: for every rung.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "efficient_channel.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "program/error.hpp"
#include "squeeze_excitation.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

template <class M>
typename M::Problem sample(const M& mechanism, const char* shape) {
  return mechanism.make(ladder::parse_shape(shape, mechanism.keys), 13, ladder::Hardness::plain);
}

template <class M>
void check_half(const M& mechanism, const typename M::Problem& p) {
  for_every_rung(mechanism, [&](const auto& rung) {
    GatedMaps out;
    rung.run(p, out);
    for (const float gate : out.gate) REQUIRE(gate == 0.5F);
    for (std::size_t i = 0; i < p.input.size(); ++i) REQUIRE(out.output.data()[i] == p.input.data()[i] / 2);
  });
}

/// The places of every map turned round and then shuffled by a fixed step.
FeatureMaps permuted(const FeatureMaps& p) {
  FeatureMaps q = p;
  const Index places = p.places();
  for (Index m = 0; m < p.batch() * p.channels(); ++m)
    for (Index i = 0; i < places; ++i) q.input.data()[m * places + i] = p.input.data()[m * places + (i * 5 + 3) % places];
  return q;
}

template <class M>
void check_permutation(const M& mechanism, const typename M::Problem& p) {
  REQUIRE(p.places() % 5 != 0);
  typename M::Problem q = p;
  q.input = permuted(p).input;
  for_every_rung(mechanism, [&](const auto& rung) {
    GatedMaps of_p;
    GatedMaps of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (std::size_t i = 0; i < of_p.gate.size(); ++i) REQUIRE(std::abs(of_p.gate.data()[i] - of_q.gate.data()[i]) < 1e-6F);
  });
}

template <class M>
void check_not_finite(const M& mechanism, const std::vector<typename M::Problem>& problems) {
  for (const auto& p : problems) {
    const auto trial = ladder::make_trial(mechanism, p);
    for (std::size_t rung = 0; rung < mechanism.ladder.size(); ++rung) {
      INFO(mechanism.name << " / " << mechanism.ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("squeeze_excitation: weights of zero halve the maps", "[gate]") {
  SqueezeExcitationProblem p = sample(squeeze_excitation(), "batch=3,channels=37,height=9,width=11,reduction=4");
  p.reduce_weight.fill(0);
  p.reduce_bias.fill(0);
  p.expand_weight.fill(0);
  p.expand_bias.fill(0);
  check_half(squeeze_excitation(), p);
}

TEST_CASE("efficient_channel: weights of zero halve the maps", "[gate]") {
  EfficientChannelProblem p = sample(efficient_channel(), "batch=3,channels=37,height=9,width=11,kernel=5");
  p.weight.fill(0);
  check_half(efficient_channel(), p);
}

TEST_CASE("channel gates: moving the places about leaves them as they are", "[gate]") {
  check_permutation(squeeze_excitation(), sample(squeeze_excitation(), "batch=2,channels=33,height=13,width=17,reduction=4"));
  check_permutation(efficient_channel(), sample(efficient_channel(), "batch=2,channels=33,height=13,width=17,kernel=3"));
}

TEST_CASE("channel gates: NaN and infinity come out where the reference has them", "[gate]") {
  const SqueezeExcitationProblem se = sample(squeeze_excitation(), "batch=2,channels=20,height=5,width=9,reduction=4");
  std::vector<SqueezeExcitationProblem> of_se(4, se);
  of_se[0].input(1, 3, 4, 8) = not_a_number;
  of_se[1].input(0, 19, 0, 0) = infinity;
  of_se[2].reduce_weight(4, 2) = not_a_number;
  of_se[3].expand_bias(7) = -infinity;
  check_not_finite(squeeze_excitation(), of_se);

  const EfficientChannelProblem eca = sample(efficient_channel(), "batch=2,channels=20,height=5,width=9,kernel=3");
  std::vector<EfficientChannelProblem> of_eca(3, eca);
  of_eca[0].input(1, 3, 4, 8) = not_a_number;
  of_eca[1].input(0, 19, 0, 0) = infinity;
  of_eca[2].weight(0) = not_a_number;
  check_not_finite(efficient_channel(), of_eca);
}

TEST_CASE("efficient_channel: a gate sees its neighbours and no others", "[gate]") {
  const EfficientChannelProblem p = sample(efficient_channel(), "batch=1,channels=12,height=4,kernel=5");
  EfficientChannelProblem q = p;
  for (Index i = 0; i < p.places(); ++i) q.input.data()[6 * p.places() + i] += 3;
  for_every_rung(efficient_channel(), [&](const auto& rung) {
    GatedMaps of_p;
    GatedMaps of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (std::size_t c = 0; c < 12; ++c) CHECK((of_p.gate(0, c) == of_q.gate(0, c)) == (c < 4 || c > 8));
  });
}

TEST_CASE("efficient_channel: a single 1 in the middle is the sigmoid of the own mean", "[gate]") {
  EfficientChannelProblem p = sample(efficient_channel(), "batch=2,channels=9,height=6,kernel=3");
  p.weight.fill(0);
  p.weight(1) = 1;
  for_every_rung(efficient_channel(), [&](const auto& rung) {
    GatedMaps out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index c = 0; c < 9; ++c) {
        double mean = 0;
        for (Index i = 0; i < 36; ++i) mean += static_cast<double>(p.map_of(b, c)[i]) / 36;
        CHECK(std::abs(static_cast<double>(out.gate_of(b)[c]) - 1 / (1 + std::exp(-mean))) < 1e-6);
      }
  });
}

TEST_CASE("efficient_channel: the kernel follows the channels as in the authors' code, an even one is refused", "[gate]") {
  CHECK(efficient_channel_kernel(64) == 3);
  CHECK(efficient_channel_kernel(128) == 5);
  CHECK(efficient_channel_kernel(256) == 5);
  CHECK(efficient_channel_kernel(512) == 5);
  CHECK(efficient_channel_kernel(2048) == 7);
  CHECK_THROWS_AS(sample(efficient_channel(), "channels=8,height=2,kernel=4"), program::UserError);
}

TEST_CASE("squeeze_excitation: the number of weights is the paper's, 2C²/r, and the biases", "[gate]") {
  CHECK(squeeze_excitation_parameters(64, 16) == 2 * 64 * 64 / 16 + 64 / 16 + 64);
  // One hidden unit at least.
  CHECK(squeeze_excitation_parameters(8, 16) == 8 + 8 + 1 + 8);
}
