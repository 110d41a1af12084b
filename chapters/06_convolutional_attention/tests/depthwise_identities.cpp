// What a depthwise convolution must do whatever the numbers: for every rung.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "depthwise.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "program/error.hpp"
#include "rungs/convolution_rungs.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;
using tests::largest_difference;

namespace {

DepthwiseProblem sample(const char* shape) {
  return make_depthwise(ladder::parse_shape(shape, depthwise().keys), 11, ladder::Hardness::plain);
}

}  // namespace

TEST_CASE("depthwise: kernels with a single 1 in the middle copy the image", "[depthwise]") {
  DepthwiseProblem p = sample("batch=2,channels=3,height=9,width=37,kernel=5");
  p.weight.fill(0);
  p.bias.fill(0);
  for (std::size_t c = 0; c < 3; ++c) p.weight(c, 2, 2) = 1;
  for_every_rung(depthwise(), [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    CHECK(largest_difference(out.output, p.input) == 0);
  });
}

TEST_CASE("depthwise: it is a convolution whose other weights are zeros", "[depthwise]") {
  const DepthwiseProblem p = sample("batch=2,channels=5,height=11,width=23,kernel=3");
  ConvolutionProblem full{p.input, xt::zeros<float>({5, 5, 3, 3}), p.bias};
  for (std::size_t c = 0; c < 5; ++c)
    for (std::size_t u = 0; u < 3; ++u)
      for (std::size_t v = 0; v < 3; ++v) full.weight(c, c, u, v) = p.weight(c, u, v);
  ConvolutionOutput wanted;
  convolution_loops(full, wanted);
  for_every_rung(depthwise(), [&](const auto& rung) {
    ConvolutionOutput out;
    rung.run(p, out);
    CHECK(largest_difference(out.output, wanted.output) < 1e-5F);
  });
  // What it saves: every channel sees one channel, not five.
  CHECK(cost(full).flops == 5 * cost(p).flops);
}

TEST_CASE("depthwise: a channel sees itself alone", "[depthwise]") {
  const DepthwiseProblem p = sample("batch=2,channels=4,height=13,width=18,kernel=5");
  DepthwiseProblem other = p;
  for (std::size_t i = 0; i < 13 * 18; ++i) other.input.data()[2 * 13 * 18 + i] += 1;  // channel 2 of the first image
  for_every_rung(depthwise(), [&](const auto& rung) {
    ConvolutionOutput before;
    ConvolutionOutput after;
    rung.run(p, before);
    rung.run(other, after);
    for (Index plane = 0; plane < p.planes(); ++plane) {
      const float* first = before.output.data() + plane * p.pixels();
      CHECK(std::equal(first, first + p.pixels(), after.output.data() + plane * p.pixels()) == (plane != 2));
    }
  });
}

TEST_CASE("depthwise: some channels alone are those of all", "[depthwise]") {
  const DepthwiseProblem p = sample("batch=2,channels=7,height=12,width=20,kernel=3");
  const std::array<Index, 3> chosen{0, 3, 6};
  const DepthwiseProblem part = take_channels(p, chosen);
  for_every_rung(depthwise(), [&](const auto& rung) {
    ConvolutionOutput whole;
    ConvolutionOutput some;
    rung.run(p, whole);
    rung.run(part, some);
    for (Index b = 0; b < 2; ++b)
      for (std::size_t c = 0; c < chosen.size(); ++c)
        CHECK(std::equal(some.plane_of(b, static_cast<Index>(c)), some.plane_of(b, static_cast<Index>(c)) + p.pixels(),
                         whole.plane_of(b, chosen[c])));
  });
}

TEST_CASE("depthwise: NaN and infinity come out where the reference has them", "[depthwise]") {
  const DepthwiseProblem plain = sample("batch=2,channels=3,height=12,width=20,kernel=3");
  std::vector<DepthwiseProblem> problems(4, plain);
  problems[0].input(1, 2, 11, 19) = std::numeric_limits<float>::quiet_NaN();
  problems[1].input(0, 0, 5, 7) = std::numeric_limits<float>::infinity();
  problems[2].weight(2, 0, 1) = std::numeric_limits<float>::quiet_NaN();
  problems[3].bias(1) = -std::numeric_limits<float>::infinity();
  for (const DepthwiseProblem& p : problems) {
    const auto trial = ladder::make_trial(depthwise(), p);
    for (std::size_t rung = 0; rung < depthwise().ladder.size(); ++rung) {
      INFO(depthwise().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("depthwise: an even kernel is refused", "[depthwise]") {
  CHECK_THROWS_AS(sample("kernel=4"), program::UserError);
}
