// The backward pass of attention pooling: its reference against central differences and against the tape, what
// gradients must do whatever the numbers, and passes that are wrong in the usual ways.
#include "attention_pooling_backward.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autograd/arranging.hpp"
#include "autograd/matrix.hpp"
#include "autograd/softmax.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "every_rung.hpp"
#include "exact_differences.hpp"
#include "rungs/attention_pooling_backward_rungs.hpp"
#include "tape_agreement.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

AttentionPoolingBackwardProblem sample(const char* shape) {
  return make_attention_pooling_backward(ladder::parse_shape(shape, attention_pooling_backward().keys), 11,
                                         ladder::Hardness::plain);
}

/// Both gradients, times `spoil`, against central differences of forward's reference.
std::vector<double> worst_of_both(double spoil) {
  AttentionPoolingBackwardProblem p = sample("batch=2,channels=5,height=3,width=4");
  tests::quantise(p.forward.input);
  tests::quantise(p.forward.weight);
  AttentionPoolingBackwardReference expected = reference(p);
  const auto loss = [&] { return tests::loss_of(p.output_gradient, reference(p.forward).output); };
  const auto worst = [&](auto& input, auto& gradient) {
    for (double& x : gradient) x *= spoil;
    return tests::worst_difference(input, gradient, loss, tests::loss_size_of(p.output_gradient), 0x1p-10);
  };
  return {worst(p.forward.input, expected.input), worst(p.forward.weight, expected.weight)};
}

/// What may be wrong with a rung; each is right but for one thing.
enum class Fault { none, no_delta, forget_last_tile, mean_alone, unsummed, off, race };

template <Fault fault>
void broken(const AttentionPoolingBackwardProblem& given, AttentionPoolingBackwardOutput& out) {
  AttentionPoolingBackwardProblem p = given;
  const AttentionPoolingProblem& f = p.forward;
  if (fault == Fault::no_delta) p.kept.output.fill(0);
  if (fault == Fault::mean_alone) p.forward.weight.fill(0);
  attention_pooling_backward_loops(p, out);
  if (fault == Fault::forget_last_tile || fault == Fault::unsummed)
    for (Index b = 0; b < f.batch(); ++b)
      for (Index c = 0; c < f.channels(); ++c) {
        const float* dx = out.map_of(b, c);
        const float w = f.weight.data()[c];
        // de from dx, to take out again what a place brought to dw.
        for (Index i = fault == Fault::unsummed ? 0 : std::max<Index>(f.places() / 16 * 16, 1); i < f.places(); ++i)
          if (fault != Fault::unsummed || b + 1 < f.batch())
            out.weight.data()[c] -= (dx[i] - p.weights_of(b)[i] * p.output_gradient_of(b)[c]) / w * f.map_of(b, c)[i];
      }
  if (fault == Fault::off)
    for (float& x : out.weight) x *= 1.01F;
  // What a race does, a result that depends on the number of threads, without one.
  if (fault == Fault::race)
    out.weight.data()[0] += 1e-6F * static_cast<float>(omp_get_max_threads()) * std::abs(out.weight.data()[0]);
}

template <Fault fault>
std::string found(bool parallel = false) {
  return tests::fault_of(attention_pooling_backward(), broken<fault>, parallel);
}

}  // namespace

TEST_CASE("attention pooling backward: the reference's gradients are the loss's central differences",
          "[attention_pooling][backward]") {
  for (const double share : worst_of_both(1)) CHECK(share <= 1);
}

TEST_CASE("attention pooling backward: the central differences notice a gradient that is 1 in 1,000 off",
          "[attention_pooling][backward]") {
  for (const double share : worst_of_both(1.001)) CHECK(share > 1);
}

TEST_CASE("attention pooling backward: the reference agrees with the tape", "[attention_pooling][backward]") {
  const AttentionPoolingBackwardProblem p = sample("batch=3,channels=6,height=4,width=5");
  const AttentionPoolingBackwardReference r = reference(p);
  autograd::Tape<double> tape;
  const auto x = tape.variable(tests::channels_last(p.forward.input));
  const auto w = tape.variable(tests::as_array(p.forward.weight));
  const auto places = autograd::reshape(x, {3, 20, 6});
  const auto scores = autograd::matmul(places, autograd::reshape(w, {6, 1}));
  const auto y = autograd::matmul(autograd::softmax(autograd::reshape(scores, {3, 1, 20})), places);
  tape.backward(autograd::sum(autograd::reshape(y, {3, 6}) * tape.constant(tests::as_array(p.output_gradient))));
  CHECK(tests::disagreement(tape.gradient(x), tests::channels_last(r.input)) < 1e-12);
  CHECK(tests::disagreement(tape.gradient(w), tests::as_array(r.weight)) < 1e-12);
}

TEST_CASE("attention pooling backward: the gradients of an image's places add up to the output's",
          "[attention_pooling][backward]") {
  // The same vector added to all places moves every score alike and the mean by itself.
  const AttentionPoolingBackwardProblem p = sample("batch=2,channels=9,height=17,width=33");
  for_every_rung(attention_pooling_backward(), [&](const auto& rung) {
    AttentionPoolingBackwardOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index c = 0; c < 9; ++c) {
        double sum = 0;
        for (Index i = 0; i < p.forward.places(); ++i) sum += static_cast<double>(out.map_of(b, c)[i]);
        CHECK(std::abs(sum - static_cast<double>(p.output_gradient_of(b)[c])) < 1e-5);
      }
  });
}

TEST_CASE("attention pooling backward: with w = 0 every place gets its share of the mean's gradient",
          "[attention_pooling][backward]") {
  AttentionPoolingBackwardProblem p = sample("batch=2,channels=8,height=7,width=61");
  p.forward.weight.fill(0);
  run_forward(p);
  for_every_rung(attention_pooling_backward(), [&](const auto& rung) {
    AttentionPoolingBackwardOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index c = 0; c < 8; ++c)
        for (Index i = 0; i < p.forward.places(); ++i)
          REQUIRE(std::abs(out.map_of(b, c)[i] - p.output_gradient_of(b)[c] / static_cast<float>(p.forward.places())) <
                  1e-8F);
  });
}

TEST_CASE("attention pooling backward: NaN comes out where the reference has it", "[attention_pooling][backward]") {
  const AttentionPoolingBackwardProblem plain = sample("batch=3,channels=10,height=8,width=15");
  std::vector<AttentionPoolingBackwardProblem> problems(3, plain);
  problems[0].forward.input(1, 3, 7, 14) = std::numeric_limits<float>::quiet_NaN();
  problems[1].forward.weight(9) = std::numeric_limits<float>::quiet_NaN();
  problems[2].output_gradient(2, 0) = std::numeric_limits<float>::quiet_NaN();
  for (AttentionPoolingBackwardProblem& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(attention_pooling_backward(), p);
    for (std::size_t rung = 0; rung < attention_pooling_backward().ladder.size(); ++rung) {
      INFO(attention_pooling_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("attention pooling backward: the broken pass is right without a fault",
          "[attention_pooling][backward][broken]") {
  CHECK(found<Fault::none>() == "");
}
TEST_CASE("attention pooling backward: a forgotten D is caught", "[attention_pooling][backward][broken]") {
  CHECK_FALSE(found<Fault::no_delta>().empty());
}
TEST_CASE("attention pooling backward: a forgotten last tile is caught", "[attention_pooling][backward][broken]") {
  CHECK_FALSE(found<Fault::forget_last_tile>().empty());
}
TEST_CASE("attention pooling backward: weights taken for constants are caught",
          "[attention_pooling][backward][broken]") {
  CHECK_FALSE(found<Fault::mean_alone>().empty());
}
TEST_CASE("attention pooling backward: an image that is not added is caught", "[attention_pooling][backward][broken]") {
  CHECK_FALSE(found<Fault::unsummed>().empty());
}
TEST_CASE("attention pooling backward: a gradient of w 1 in 100 off is caught",
          "[attention_pooling][backward][broken]") {
  CHECK_FALSE(found<Fault::off>().empty());
}
TEST_CASE("attention pooling backward: what depends on the number of threads is caught",
          "[attention_pooling][backward][broken]") {
  CHECK_FALSE(found<Fault::race>(true).empty());
}
