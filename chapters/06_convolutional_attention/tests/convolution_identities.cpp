// What a convolution must do whatever the numbers: for every rung.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "every_rung.hpp"
#include "convolution.hpp"
#include "ladder/publish.hpp"
#include "program/error.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;
using tests::largest_difference;

namespace {

ConvolutionProblem sample(const char* shape) {
  return make_convolution(ladder::parse_shape(shape, convolution().keys), 11, ladder::Hardness::plain);
}

/// Runs the body for every rung that computes `p`.
template <class Body>
void for_every_able_rung(const ConvolutionProblem& p, Body body) {
  for_every_rung(convolution(), [&](const auto& rung) {
    if (!rung.unable || rung.unable(p).empty()) body(rung);
  });
}

/// What a rung's numbers of about 1 may differ from those that need no rounding: nothing, but for sums in another basis.
template <class Rung>
float inexactness(const Rung& rung) {
  return rung.blocks.growth > 1 ? 1e-6F * static_cast<float>(rung.blocks.growth) : 0;
}

}  // namespace

TEST_CASE("convolution: a kernel with a single 1 in the middle copies the image", "[convolution]") {
  ConvolutionProblem p = sample("batch=2,in_channels=3,out_channels=3,height=9,width=37,kernel=5");
  p.weight.fill(0);
  p.bias.fill(0);
  for (std::size_t c = 0; c < 3; ++c) p.weight(c, c, 2, 2) = 1;
  for_every_able_rung(p, [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    CHECK(largest_difference(out.output, p.input) == 0);
  });
}

TEST_CASE("convolution: a single 1 elsewhere shifts the image and lets zeros in", "[convolution]") {
  ConvolutionProblem p = sample("in_channels=1,out_channels=2,height=8,width=19,kernel=3");
  p.weight.fill(0);
  p.bias.fill(0);
  p.weight(0, 0, 0, 2) = 1;  // one up, one to the right
  p.weight(1, 0, 2, 1) = 1;  // one down
  for_every_able_rung(p, [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    for (Index y = 0; y < 8; ++y)
      for (Index x = 0; x < 19; ++x) {
        const float up = y > 0 && x < 18 ? p.input.data()[(y - 1) * 19 + x + 1] : 0;
        const float down = y < 7 ? p.input.data()[(y + 1) * 19 + x] : 0;
        REQUIRE(std::abs(out.plane_of(0, 0)[y * 19 + x] - up) <= inexactness(rung));
        REQUIRE(std::abs(out.plane_of(0, 1)[y * 19 + x] - down) <= inexactness(rung));
      }
  });
}

TEST_CASE("convolution: taps stand as far apart as the dilation says", "[convolution]") {
  ConvolutionProblem p = sample("in_channels=1,out_channels=1,height=11,width=19,kernel=3,dilation=4");
  p.weight.fill(0);
  p.bias.fill(0);
  p.weight(0, 0, 0, 2) = 1;  // four up, four to the right
  for_every_able_rung(p, [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    for (Index y = 0; y < 11; ++y)
      for (Index x = 0; x < 19; ++x)
        REQUIRE(out.plane_of(0, 0)[y * 19 + x] == (y >= 4 && x < 15 ? p.input.data()[(y - 4) * 19 + x + 4] : 0));
  });
}

TEST_CASE("convolution: a box on a constant image counts the pixels under it", "[convolution]") {
  ConvolutionProblem p = sample("in_channels=1,out_channels=1,height=5,width=6,kernel=3");
  p.input.fill(1);
  p.weight.fill(1);
  p.bias.fill(100);
  for_every_able_rung(p, [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    for (Index y = 0; y < 5; ++y)
      for (Index x = 0; x < 6; ++x) {
        const int rows = y == 0 || y == 4 ? 2 : 3;
        const int columns = x == 0 || x == 5 ? 2 : 3;
        REQUIRE(std::abs(out.output.data()[y * 6 + x] - 100 - static_cast<float>(rows * columns)) <= 10 * inexactness(rung));
      }
  });
}

TEST_CASE("convolution: it is linear in the image", "[convolution]") {
  ConvolutionProblem a = sample("in_channels=20,out_channels=14,height=13,kernel=3");
  ConvolutionProblem b = a;
  ConvolutionProblem both = a;
  b.bias.fill(0);
  for (std::size_t i = 0; i < a.input.size(); ++i) {
    b.input.data()[i] = std::sin(static_cast<float>(i));
    both.input.data()[i] = a.input.data()[i] + 2 * b.input.data()[i];
  }
  for_every_able_rung(a, [&](const auto& rung) {
    ConvolutionOutput of_a;
    ConvolutionOutput of_b;
    ConvolutionOutput of_both;
    rung.run(a, of_a);
    rung.run(b, of_b);
    rung.run(both, of_both);
    for (std::size_t i = 0; i < of_a.output.size(); ++i) of_a.output.data()[i] += 2 * of_b.output.data()[i];
    CHECK(largest_difference(of_a.output, of_both.output) < 1e-5F + inexactness(rung));
  });
}

TEST_CASE("convolution: a 1×1 kernel is a matrix product over the channels", "[convolution]") {
  const ConvolutionProblem p = sample("batch=2,in_channels=21,out_channels=35,height=6,width=11,kernel=1");
  for_every_able_rung(p, [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index o = 0; o < 35; ++o)
        for (Index i = 0; i < 66; ++i) {
          double sum = static_cast<double>(p.bias.data()[o]);
          for (Index c = 0; c < 21; ++c)
            sum += static_cast<double>(p.weight.data()[o * 21 + c]) * static_cast<double>(p.image_of(b)[c * 66 + i]);
          REQUIRE(std::abs(sum - static_cast<double>(out.plane_of(b, o)[i])) < 1e-5);
        }
  });
}

TEST_CASE("convolution: NaN and infinity come out where the reference has them", "[convolution]") {
  const ConvolutionProblem plain = sample("batch=2,in_channels=5,out_channels=14,height=12,width=20,kernel=3");
  std::vector<ConvolutionProblem> problems(5, plain);
  problems[0].input(1, 3, 11, 19) = std::numeric_limits<float>::quiet_NaN();
  problems[1].input(0, 0, 0, 0) = std::numeric_limits<float>::infinity();
  problems[2].weight(13, 2, 0, 1) = std::numeric_limits<float>::quiet_NaN();
  problems[3].weight(0, 4, 2, 2) = -std::numeric_limits<float>::infinity();
  problems[4].bias(7) = std::numeric_limits<float>::infinity();
  for (const ConvolutionProblem& p : problems) {
    const auto trial = ladder::make_trial(convolution(), p);
    for (std::size_t rung = 0; rung < convolution().ladder.size(); ++rung) {
      // In Winograd's basis such a pixel spoils all of its tile.
      if (convolution().ladder[rung].blocks.growth > 1) continue;
      INFO(convolution().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("convolution: some output channels alone are those of all", "[convolution]") {
  const ConvolutionProblem p = sample("in_channels=3,out_channels=30,height=7,kernel=3");
  const std::array<Index, 3> chosen{0, 12, 29};
  const ConvolutionProblem part = take_out_channels(p, chosen);
  for_every_able_rung(p, [&](const auto& rung) {
    ConvolutionOutput whole;
    ConvolutionOutput some;
    rung.run(p, whole);
    rung.run(part, some);
    for (std::size_t o = 0; o < chosen.size(); ++o)
      for (Index i = 0; i < 49; ++i)
        REQUIRE(std::abs(some.plane_of(0, static_cast<Index>(o))[i] - whole.plane_of(0, chosen[o])[i]) < 1e-5F);
  });
}

TEST_CASE("convolution: multiply-adds with the border are not counted, an even kernel is refused", "[convolution]") {
  // 3 × 3 pixels, 3 × 3 taps: 3 + 2 + 2 pairs a side.
  CHECK(cost(sample("in_channels=1,out_channels=1,height=3,kernel=3")).flops == 2 * 49);
  // A kernel larger than the image: taps beyond it never meet a pixel.
  CHECK(cost(sample("in_channels=1,out_channels=1,height=1,kernel=7")).flops == 2);
  CHECK_THROWS_AS(sample("kernel=4"), program::UserError);
}
