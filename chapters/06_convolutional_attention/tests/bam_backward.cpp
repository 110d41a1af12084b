// The backward pass of the bottleneck attention module: its reference against central differences and against the tape,
// and what gradients must do whatever the numbers.
#include "bam_backward.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "every_rung.hpp"
#include "exact_differences.hpp"
#include "ladder/publish.hpp"
#include "tape_agreement.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

BamBackwardProblem sample(const char* shape) {
  return make_bam_backward(ladder::parse_shape(shape, bam_backward().keys), 11, ladder::Hardness::plain);
}

/// All gradients, times `spoil`, against central differences of forward's reference: the worst of each. The ReLUs have
/// kinks: a small step.
std::vector<double> worst_of_all(const char* shape, double spoil) {
  BamBackwardProblem p = sample(shape);
  BamProblem& f = p.forward;
  tests::quantise(f.input);
  for_each_bam_weight(f, [](const char*, auto& weight) { tests::quantise(weight); });
  BamBackwardReference expected = reference(p);
  const auto loss = [&] { return tests::loss_of(p.output_gradient, reference(f).output); };
  std::vector<double> worst;
  const auto hold = [&](auto& input, auto& gradient) {
    for (double& x : gradient) x *= spoil;
    worst.push_back(tests::worst_difference(input, gradient, loss, tests::loss_size_of(p.output_gradient, 1), 0x1p-20));
  };
  hold(f.input, expected.input);
  hold(f.reduce_weight, expected.reduce_weight);
  hold(f.reduce_bias, expected.reduce_bias);
  hold(f.expand_weight, expected.expand_weight);
  hold(f.expand_bias, expected.expand_bias);
  for (std::size_t layer = 0; layer < 4; ++layer) {
    hold(f.spatial[layer].weight, expected.spatial[layer].weight);
    hold(f.spatial[layer].bias, expected.spatial[layer].bias);
  }
  return worst;
}

/// [outputs, inputs, kernel, kernel] as the tape has it: [kernel, kernel, inputs, outputs].
template <class Kernel>
tests::ArrayOf<double> taps_first(const Kernel& weight) {
  const auto& s = weight.shape();
  auto to = tensor::empty_array<double>({s[2], s[3], s[1], s[0]});
  for (std::size_t o = 0; o < s[0]; ++o)
    for (std::size_t c = 0; c < s[1]; ++c)
      for (std::size_t tap = 0; tap < s[2] * s[3]; ++tap)
        to.data()[(tap * s[1] + c) * s[0] + o] = static_cast<double>(weight.data()[(o * s[1] + c) * s[2] * s[3] + tap]);
  return to;
}

/// A layer of 1 × 1 as a matrix [inputs, outputs].
template <class Kernel>
tests::ArrayOf<double> as_matrix(const Kernel& weight) {
  auto to = taps_first(weight);
  to.reshape({weight.shape()[1], weight.shape()[0]});
  return to;
}

}  // namespace

TEST_CASE("bam backward: the reference's gradients are the loss's central differences", "[bam][backward]") {
  for (const char* shape : {"channels=4,height=5,width=6,reduction=2,dilation=2",
                            "batch=2,channels=3,height=4,width=3,reduction=1,dilation=1"})
    for (const double share : worst_of_all(shape, 1)) CHECK(share <= 1);
}

TEST_CASE("bam backward: the central differences notice a gradient that is 1 in 1,000 off", "[bam][backward]") {
  for (const double share : worst_of_all("batch=2,channels=3,height=4,width=3,reduction=1,dilation=1", 1.001))
    CHECK(share > 1);
}

TEST_CASE("bam backward: the reference agrees with the tape", "[bam][backward]") {
  const BamBackwardProblem p = sample("batch=2,channels=12,height=9,width=10,reduction=3,dilation=4");
  const BamProblem& f = p.forward;
  const BamBackwardReference r = reference(p);
  numerics::Random random(1);
  tests::check_against_tape(
      AttentionModule<double>(ModuleKind::bam, 12, 3, random),
      {{"narrow.weights", tests::turned(f.reduce_weight), tests::turned(r.reduce_weight)},
       {"narrow.bias", tests::as_array(f.reduce_bias), tests::as_array(r.reduce_bias)},
       {"widen.weights", tests::turned(f.expand_weight), tests::turned(r.expand_weight)},
       {"widen.bias", tests::as_array(f.expand_bias), tests::as_array(r.expand_bias)},
       {"places_in.weights", as_matrix(f.spatial[0].weight), as_matrix(r.spatial[0].weight)},
       {"places_in.bias", tests::as_array(f.spatial[0].bias), tests::as_array(r.spatial[0].bias)},
       {"places_first", taps_first(f.spatial[1].weight), taps_first(r.spatial[1].weight)},
       {"places_first_bias", tests::as_array(f.spatial[1].bias), tests::as_array(r.spatial[1].bias)},
       {"places_second", taps_first(f.spatial[2].weight), taps_first(r.spatial[2].weight)},
       {"places_second_bias", tests::as_array(f.spatial[2].bias), tests::as_array(r.spatial[2].bias)},
       {"places_out.weights", as_matrix(f.spatial[3].weight), as_matrix(r.spatial[3].weight)},
       {"places_out.bias", tests::as_array(f.spatial[3].bias), tests::as_array(r.spatial[3].bias)}},
      tests::channels_last(f.input), tests::channels_last(p.output_gradient), tests::channels_last(r.input));
}

TEST_CASE("bam backward: where both branches are 0, half as much again of the gradient comes back", "[bam][backward]") {
  BamBackwardProblem p = sample("batch=2,channels=16,height=17,width=33,reduction=2");
  BamProblem& f = p.forward;
  f.expand_weight.fill(0);
  f.expand_bias.fill(0);
  f.spatial[3].weight.fill(0);
  f.spatial[3].bias.fill(0);
  run_forward(p);
  for_every_rung(bam_backward(), [&](const auto& rung) {
    BamBackwardOutput out;
    rung.run(p, out);
    CHECK(std::ranges::equal(out.input, p.output_gradient,
                             [](float a, float b) { return std::abs(a - 1.5F * b) < 1e-6F; }));
    CHECK(std::ranges::all_of(out.spatial[1].weight, [](float x) { return x == 0; }));
    CHECK(std::ranges::any_of(out.expand_weight, [](float x) { return x != 0; }));
  });
}

TEST_CASE("bam backward: the gradients of both branches' last biases are equal in all", "[bam][backward]") {
  // Both are the sum of the argument's gradient over all elements.
  const BamBackwardProblem p = sample("batch=3,channels=33,height=8,width=61");
  for_every_rung(bam_backward(), [&](const auto& rung) {
    BamBackwardOutput out;
    rung.run(p, out);
    double sum = 0;
    for (const float x : out.expand_bias) sum += static_cast<double>(x);
    CHECK(std::abs(sum - static_cast<double>(out.spatial[3].bias(0))) < 1e-4);
  });
}

TEST_CASE("bam backward: NaN comes out where the reference has it", "[bam][backward]") {
  const BamBackwardProblem plain = sample("batch=3,channels=10,height=8,width=18,reduction=2");
  std::vector<BamBackwardProblem> problems(3, plain);
  problems[0].forward.input(1, 3, 7, 14) = std::numeric_limits<float>::quiet_NaN();
  problems[1].forward.expand_weight(9, 2) = std::numeric_limits<float>::quiet_NaN();
  problems[2].forward.spatial[3].bias(0) = std::numeric_limits<float>::quiet_NaN();
  for (BamBackwardProblem& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(bam_backward(), p);
    for (std::size_t rung = 0; rung < bam_backward().ladder.size(); ++rung) {
      INFO(bam_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
