// The backward pass of the non-local block: its reference against central differences and against the tape, and what
// gradients must do whatever the numbers.
#include "non_local_backward.hpp"

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

NonLocalBackwardProblem sample(const char* shape) {
  return make_non_local_backward(ladder::parse_shape(shape, non_local_backward().keys), 11, ladder::Hardness::plain);
}

/// The five gradients, times `spoil`, against central differences of forward's reference: the worst of each.
std::vector<double> worst_of_all(const char* shape, double spoil) {
  NonLocalBackwardProblem p = sample(shape);
  NonLocalProblem& f = p.forward;
  tests::quantise(f.input);
  for (Tensor<2>* weight : {&f.theta, &f.phi, &f.g, &f.out_weight}) tests::quantise(*weight);
  NonLocalBackwardReference expected = reference(p);
  const auto loss = [&] { return tests::loss_of(p.output_gradient, reference(f).output); };
  const auto worst = [&](auto& input, auto& gradient) {
    for (double& x : gradient) x *= spoil;
    return tests::worst_difference(input, gradient, loss, tests::loss_size_of(p.output_gradient), 0x1p-10);
  };
  return {worst(f.input, expected.input), worst(f.theta, expected.theta), worst(f.phi, expected.phi),
          worst(f.g, expected.g), worst(f.out_weight, expected.out_weight)};
}

}  // namespace

TEST_CASE("non-local backward: the reference's gradients are the loss's central differences", "[non_local][backward]") {
  for (const char* shape : {"channels=6,height=3,width=4", "batch=2,channels=5,height=2,width=3"})
    for (const double share : worst_of_all(shape, 1)) CHECK(share <= 1);
}

TEST_CASE("non-local backward: the central differences notice a gradient that is 1 in 1,000 off",
          "[non_local][backward]") {
  for (const double share : worst_of_all("channels=6,height=3,width=4", 1.001)) CHECK(share > 1);
}

TEST_CASE("non-local backward: the reference agrees with the tape", "[non_local][backward]") {
  const NonLocalBackwardProblem p = sample("batch=2,channels=10,height=4,width=5");
  const NonLocalBackwardReference r = reference(p);
  numerics::Random random(1);
  tests::check_against_tape(AttentionModule<double>(ModuleKind::non_local, 10, 1, random),
                            {{"theta.weights", tests::turned(p.forward.theta), tests::turned(r.theta)},
                             {"phi.weights", tests::turned(p.forward.phi), tests::turned(r.phi)},
                             {"g.weights", tests::turned(p.forward.g), tests::turned(r.g)},
                             {"w_z.weights", tests::turned(p.forward.out_weight), tests::turned(r.out_weight)}},
                            tests::channels_last(p.forward.input), tests::channels_last(p.output_gradient),
                            tests::channels_last(r.input));
}

TEST_CASE("non-local backward: with W_z = 0 only W_z learns, and the residual hands the gradient on",
          "[non_local][backward]") {
  // So a block that was put into a trained network begins.
  NonLocalBackwardProblem p = sample("batch=2,channels=10,height=7,width=15");
  p.forward.out_weight.fill(0);
  for_every_rung(non_local_backward(), [&](const auto& rung) {
    NonLocalBackwardOutput out;
    rung.run(p, out);
    CHECK(std::ranges::equal(out.input, p.output_gradient));
    for (const Tensor<2>* gradient : {&out.theta, &out.phi, &out.g})
      CHECK(std::ranges::all_of(*gradient, [](float x) { return x == 0; }));
    CHECK(std::ranges::any_of(out.out_weight, [](float x) { return x != 0; }));
  });
}

TEST_CASE("non-local backward: the weights' gradients are the sums over the images", "[non_local][backward]") {
  const NonLocalBackwardProblem both = sample("batch=2,channels=12,height=11,width=13");
  for_every_rung(non_local_backward(), [&](const auto& rung) {
    NonLocalBackwardOutput all;
    rung.run(both, all);
    Tensor<2> sum(both.forward.phi.shape(), 0);
    for (Index b = 0; b < 2; ++b) {
      NonLocalBackwardProblem one = both;
      one.forward.input = Tensor<4>(xt::view(both.forward.input, xt::range(b, b + 1)));
      one.output_gradient = Tensor<4>(xt::view(both.output_gradient, xt::range(b, b + 1)));
      run_forward(one);
      NonLocalBackwardOutput out;
      rung.run(one, out);
      sum += out.phi;
    }
    CHECK(tests::largest_difference(all.phi, sum) < 2e-5F);
  });
}

TEST_CASE("non-local backward: twice the output's gradient is twice all gradients, to the last bit",
          "[non_local][backward]") {
  const NonLocalBackwardProblem p = sample("batch=2,channels=33,height=9,width=17");
  NonLocalBackwardProblem twice = p;
  for (float& x : twice.output_gradient) x *= 2;
  for_every_rung(non_local_backward(), [&](const auto& rung) {
    NonLocalBackwardOutput a;
    NonLocalBackwardOutput b;
    rung.run(p, a);
    rung.run(twice, b);
    const auto doubled = [](float x, float y) { return 2 * x == y; };
    CHECK(std::ranges::equal(a.input, b.input, doubled));
    CHECK(std::ranges::equal(a.theta, b.theta, doubled));
    CHECK(std::ranges::equal(a.out_weight, b.out_weight, doubled));
  });
}

TEST_CASE("non-local backward: NaN comes out where the reference has it", "[non_local][backward]") {
  const NonLocalBackwardProblem plain = sample("batch=2,channels=10,height=8,width=15");
  std::vector<NonLocalBackwardProblem> problems(3, plain);
  problems[0].forward.input(1, 3, 7, 14) = std::numeric_limits<float>::quiet_NaN();
  problems[1].forward.out_weight(9, 2) = std::numeric_limits<float>::quiet_NaN();
  problems[2].output_gradient(0, 9, 7, 14) = std::numeric_limits<float>::quiet_NaN();
  for (NonLocalBackwardProblem& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(non_local_backward(), p);
    for (std::size_t rung = 0; rung < non_local_backward().ladder.size(); ++rung) {
      INFO(non_local_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
