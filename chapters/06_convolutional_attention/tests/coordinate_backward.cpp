// The backward pass of coordinate attention: its reference against central differences and against the tape, and what
// gradients must do whatever the numbers.
#include "coordinate_backward.hpp"

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

CoordinateBackwardProblem sample(const char* shape, std::uint64_t seed = 11) {
  return make_coordinate_backward(ladder::parse_shape(shape, coordinate_backward().keys), seed,
                                  ladder::Hardness::plain);
}

/// Calls body(input, gradient) for all inputs with the reference's gradients of them.
template <class Body>
void for_every_gradient(CoordinateProblem& f, CoordinateBackwardReference& r, Body body) {
  body(f.input, r.input);
  body(f.reduce_weight, r.reduce_weight);
  body(f.reduce_bias, r.reduce_bias);
  body(f.row_weight, r.row_weight);
  body(f.row_bias, r.row_bias);
  body(f.column_weight, r.column_weight);
  body(f.column_bias, r.column_bias);
}

/// The seven gradients, times `spoil`, against central differences of forward's reference: the worst of each. h-swish
/// has kinks: a small step, and hidden units on all three of its pieces.
std::vector<double> worst_of_all(const char* shape, double spoil) {
  CoordinateBackwardProblem p = sample(shape);
  CoordinateProblem& f = p.forward;
  for (Index k = 0; k < f.hidden(); ++k) f.reduce_bias.data()[k] += static_cast<float>(4 * (k % 3 - 1));
  CoordinateBackwardReference expected;
  for_every_gradient(f, expected, [](auto& input, auto&) { tests::quantise(input); });
  expected = reference(p);
  const auto loss = [&] { return tests::loss_of(p.output_gradient, reference(f).output); };
  std::vector<double> worst;
  for_every_gradient(f, expected, [&](auto& input, auto& gradient) {
    for (double& x : gradient) x *= spoil;
    worst.push_back(tests::worst_difference(input, gradient, loss, tests::loss_size_of(p.output_gradient, 1), 0x1p-20));
  });
  return worst;
}

}  // namespace

TEST_CASE("coordinate backward: the reference's gradients are the loss's central differences",
          "[coordinate][backward]") {
  for (const char* shape : {"channels=4,height=3,width=5", "batch=2,channels=3,height=4,width=2,reduction=1"})
    for (const double share : worst_of_all(shape, 1)) CHECK(share <= 1);
}

TEST_CASE("coordinate backward: the central differences notice a gradient that is 1 in 1,000 off",
          "[coordinate][backward]") {
  for (const double share : worst_of_all("channels=4,height=3,width=5", 1.001)) CHECK(share > 1);
}

TEST_CASE("coordinate backward: the reference agrees with the tape", "[coordinate][backward]") {
  const CoordinateBackwardProblem p = sample("batch=2,channels=10,height=4,width=5");
  const CoordinateProblem& f = p.forward;
  const CoordinateBackwardReference r = reference(p);
  numerics::Random random(1);
  tests::check_against_tape(AttentionModule<double>(ModuleKind::coordinate, 10, 32, random),
                            {{"narrow.weights", tests::turned(f.reduce_weight), tests::turned(r.reduce_weight)},
                             {"narrow.bias", tests::as_array(f.reduce_bias), tests::as_array(r.reduce_bias)},
                             {"widen.weights", tests::turned(f.row_weight), tests::turned(r.row_weight)},
                             {"widen.bias", tests::as_array(f.row_bias), tests::as_array(r.row_bias)},
                             {"widen_columns.weights", tests::turned(f.column_weight), tests::turned(r.column_weight)},
                             {"widen_columns.bias", tests::as_array(f.column_bias), tests::as_array(r.column_bias)}},
                            tests::channels_last(f.input), tests::channels_last(p.output_gradient),
                            tests::channels_last(r.input));
}

TEST_CASE("coordinate backward: where all gates are one half, a quarter of the gradient comes back",
          "[coordinate][backward]") {
  CoordinateBackwardProblem p = sample("batch=2,channels=9,height=7,width=33");
  for (Tensor<2>* weight : {&p.forward.row_weight, &p.forward.column_weight}) weight->fill(0);
  for (Tensor<1>* bias : {&p.forward.row_bias, &p.forward.column_bias}) bias->fill(0);
  run_forward(p);
  for_every_rung(coordinate_backward(), [&](const auto& rung) {
    CoordinateBackwardOutput out;
    rung.run(p, out);
    CHECK(
        std::ranges::equal(out.input, p.output_gradient, [](float a, float b) { return std::abs(a - b / 4) < 1e-6F; }));
    CHECK(std::ranges::all_of(out.reduce_weight, [](float x) { return x == 0; }));
    CHECK(std::ranges::any_of(out.row_weight, [](float x) { return x != 0; }));
  });
}

TEST_CASE("coordinate backward: maps turned round exchange rows and columns", "[coordinate][backward]") {
  const CoordinateBackwardProblem p = sample("batch=2,channels=5,height=17,width=61");
  CoordinateBackwardProblem turned = p;
  const auto transposed = [](const Tensor<4>& maps) { return Tensor<4>(xt::transpose(maps, {0, 1, 3, 2})); };
  turned.forward.input = transposed(p.forward.input);
  turned.output_gradient = transposed(p.output_gradient);
  std::swap(turned.forward.row_weight, turned.forward.column_weight);
  std::swap(turned.forward.row_bias, turned.forward.column_bias);
  run_forward(turned);
  for_every_rung(coordinate_backward(), [&](const auto& rung) {
    CoordinateBackwardOutput a;
    CoordinateBackwardOutput b;
    rung.run(p, a);
    rung.run(turned, b);
    CHECK(tests::largest_difference(a.input, transposed(b.input)) < 2e-5F);
    CHECK(tests::largest_difference(a.row_weight, b.column_weight) < 2e-5F);
    CHECK(tests::largest_difference(a.column_weight, b.row_weight) < 2e-5F);
    CHECK(tests::largest_difference(a.reduce_weight, b.reduce_weight) < 2e-5F);
  });
}

TEST_CASE("coordinate backward: NaN comes out where the reference has it", "[coordinate][backward]") {
  const CoordinateBackwardProblem plain = sample("batch=3,channels=10,height=8,width=18");
  std::vector<CoordinateBackwardProblem> problems(3, plain);
  problems[0].forward.input(1, 3, 7, 14) = std::numeric_limits<float>::quiet_NaN();
  problems[1].forward.column_weight(9, 2) = std::numeric_limits<float>::quiet_NaN();
  problems[2].output_gradient(2, 0, 7, 17) = std::numeric_limits<float>::quiet_NaN();
  for (CoordinateBackwardProblem& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(coordinate_backward(), p);
    for (std::size_t rung = 0; rung < coordinate_backward().ladder.size(); ++rung) {
      INFO(coordinate_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
