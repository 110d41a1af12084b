// What the bottleneck attention module must do whatever the numbers: for every rung.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "bam.hpp"
#include "catch.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "machine/affinity.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

BamProblem sample(const char* shape) { return make_bam(ladder::parse_shape(shape, bam().keys), 19, ladder::Hardness::plain); }

/// Every rung's answers against the reference, NaN and infinity included.
void check_all(const std::vector<BamProblem>& problems) {
  machine::use_threads(2);
  for (const BamProblem& p : problems) {
    const auto trial = ladder::make_trial(bam(), p);
    for (std::size_t rung = 0; rung < bam().ladder.size(); ++rung) {
      INFO(bam().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

}  // namespace

TEST_CASE("bam: weights of zero leave one and a half times the maps", "[bam]") {
  BamProblem p = sample("batch=3,channels=37,height=19,width=11,reduction=4");
  for (Tensor<2>* weight : {&p.reduce_weight, &p.expand_weight}) weight->fill(0);
  for (Tensor<1>* bias : {&p.reduce_bias, &p.expand_bias}) bias->fill(0);
  for (BamLayer& layer : p.spatial) {
    layer.weight.fill(0);
    layer.bias.fill(0);
  }
  for_every_rung(bam(), [&](const auto& rung) {
    BamOutput out;
    rung.run(p, out);
    for (const float branch : out.channel_branch) REQUIRE(branch == 0);
    for (const float branch : out.spatial_branch) REQUIRE(branch == 0);
    for (std::size_t i = 0; i < p.input.size(); ++i) REQUIRE(out.output.data()[i] == 1.5F * p.input.data()[i]);
  });
}

TEST_CASE("bam: moving the places about leaves the channel branch as it is", "[bam]") {
  const BamProblem p = sample("batch=2,channels=33,height=13,width=17,reduction=4");
  BamProblem q = p;
  const Index places = p.places();
  for (Index m = 0; m < p.batch() * p.channels(); ++m)
    for (Index i = 0; i < places; ++i) q.input.data()[m * places + i] = p.input.data()[m * places + (i * 5 + 3) % places];
  for_every_rung(bam(), [&](const auto& rung) {
    BamOutput of_p;
    BamOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    REQUIRE(tests::largest_difference(of_p.channel_branch, of_q.channel_branch) < 1e-5F);
  });
}

TEST_CASE("bam: a place is seen at steps of the dilation, two kernels far, and nowhere else", "[bam]") {
  BamProblem p = sample("batch=1,channels=6,height=40,width=21,reduction=2,dilation=4");
  // No ReLU is shut: all that can be seen is seen.
  const auto positive = [](auto& tensor) { std::ranges::transform(tensor, tensor.begin(), [](float x) { return std::abs(x) + 0.1F; }); };
  positive(p.input);
  for (BamLayer& layer : p.spatial) {
    positive(layer.weight);
    positive(layer.bias);
  }
  BamProblem q = p;
  const Index y = 20;
  const Index x = 9;
  q.input.data()[y * 21 + x] += 50;
  for_every_rung(bam(), [&](const auto& rung) {
    BamOutput of_p;
    BamOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (Index row = 0; row < 40; ++row)
      for (Index column = 0; column < 21; ++column) {
        const Index up = std::abs(row - y);
        const Index across = std::abs(column - x);
        const bool seen = up <= 8 && across <= 8 && up % 4 == 0 && across % 4 == 0;
        const Index i = row * 21 + column;
        REQUIRE((of_p.spatial_branch_of(0)[i] != of_q.spatial_branch_of(0)[i]) == seen);
      }
  });
}

TEST_CASE("bam: the branches are added inside the sigmoid", "[bam]") {
  const BamProblem p = sample("batch=2,channels=9,height=7,width=18,reduction=2");
  for_every_rung(bam(), [&](const auto& rung) {
    BamOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index c = 0; c < 9; ++c)
        for (Index i = 0; i < p.places(); ++i) {
          const double sum = static_cast<double>(out.channel_branch_of(b)[c]) + static_cast<double>(out.spatial_branch_of(b)[i]);
          const double expected = (1 + 1 / (1 + std::exp(-sum))) * static_cast<double>(p.map_of(b, c)[i]);
          REQUIRE(std::abs(static_cast<double>(out.map_of(b, c)[i]) - expected) < 2e-6);
        }
  });
}

TEST_CASE("bam: an image's answer is the same whatever the batch", "[bam]") {
  const BamProblem p = sample("batch=5,channels=21,height=37,width=41,reduction=4");
  const BamProblem alone = take_images(p, std::array<Index, 1>{3});
  for_every_rung(bam(), [&](const auto& rung) {
    BamOutput all;
    BamOutput one;
    rung.run(p, all);
    rung.run(alone, one);
    CHECK(std::equal(one.output.begin(), one.output.end(), all.map_of(3, 0)));
  });
}

TEST_CASE("bam: branches whose exponentials leave float32 still add up", "[bam]") {
  const BamProblem plain = sample("batch=2,channels=20,height=9,width=21,reduction=4");
  std::vector<BamProblem> problems(5, plain);
  const auto set = [&](std::size_t which, float channel, float place) {
    problems[which].expand_bias.fill(channel);
    problems[which].spatial[3].bias.fill(place);
  };
  set(0, 100, -100);
  set(1, -100, 100);
  set(2, -60, -60);
  set(3, 60, 60);
  // Some channels are near and some are not.
  for (std::size_t c = 0; c < 20; c += 3) problems[4].expand_bias(c) = -90;
  check_all(problems);
}

TEST_CASE("bam: NaN and infinity come out where the reference has them", "[bam]") {
  const BamProblem plain = sample("batch=2,channels=20,height=9,width=21,reduction=4");
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<BamProblem> problems(7, plain);
  problems[0].input(1, 3, 4, 8) = nan;
  problems[1].input(0, 19, 0, 0) = std::numeric_limits<float>::infinity();
  problems[2].reduce_weight(4, 2) = nan;
  problems[3].spatial[1].weight(1, 0, 2, 2) = nan;
  problems[4].spatial[0].weight(0, 7, 0, 0) = -std::numeric_limits<float>::infinity();
  problems[5].spatial[3].bias(0) = -std::numeric_limits<float>::infinity();
  problems[6].expand_bias(13) = std::numeric_limits<float>::infinity();
  check_all(problems);
}

TEST_CASE("bam: the number of weights is that of its tensors", "[bam]") {
  for (const Index channels : {64, 40, 8}) {
    const BamProblem p = sample(channels == 64 ? "channels=64,height=2" : channels == 40 ? "channels=40,height=2" : "channels=8,height=2");
    std::size_t numbers = p.reduce_weight.size() + p.reduce_bias.size() + p.expand_weight.size() + p.expand_bias.size();
    for (const BamLayer& layer : p.spatial) numbers += layer.weight.size() + layer.bias.size();
    CHECK(bam_parameters(channels, 16) == static_cast<Index>(numbers));
  }
}
