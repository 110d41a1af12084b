// The backward pass of squeeze-and-excitation: its reference against central differences and against the tape, and ways
// to be wrong that the ladder's check must catch.
#include "squeeze_excitation_backward.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <thread>

#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "check_rung.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "rungs/channel_gate_backward.hpp"
#include "rungs/squeeze_excitation_backward_gates.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"
#include "sanitized.hpp"
#include "tape_gradients.hpp"

using namespace attention;
using namespace attention::convolutional;
using autograd::Right;
using autograd::Tape;
using autograd::Variable;

namespace {

SqueezeExcitationBackwardProblem sample(const char* shape) {
  return make_squeeze_excitation_backward(ladder::parse_shape(shape, squeeze_excitation_backward().keys), 11,
                                          ladder::Hardness::plain);
}

/// Forward on the tape, of input, W₁, b₁, W₂, b₂.
Variable<double> forward(Tape<double>&, const std::vector<Variable<double>>& in) {
  const tensor::Shape shape = in[0].shape();
  const Variable<double> mean = autograd::mean(autograd::reshape(in[0], {shape[0], shape[1], shape[2] * shape[3]}), 2);
  const Variable<double> hidden = autograd::relu(autograd::matmul(mean, in[1], Right::transposed) + in[2]);
  const Variable<double> gate = autograd::sigmoid(autograd::matmul(hidden, in[3], Right::transposed) + in[4]);
  return in[0] * autograd::reshape(gate, {shape[0], shape[1], 1, 1});
}

tests::GradientCase with(const SqueezeExcitationBackwardProblem& p, const SqueezeExcitationBackwardReference& r) {
  return {forward,
          {p.input, p.reduce_weight, p.reduce_bias, p.expand_weight, p.expand_bias},
          p.output_gradient,
          {r.input, r.reduce_weight, r.reduce_bias, r.expand_weight, r.expand_bias}};
}

/// What may be wrong with a rung.
enum class Fault {
  none,
  no_slope,              ///< the sigmoid's slope is left out
  no_mean,               ///< the way through the mean is left out: du = s G
  sum_for_mean,          ///< the share of a place is not divided
  through_closed_units,  ///< a hidden unit that was 0 lets the gradient through
  last_place,            ///< the last place of a map is not summed
  last_image,            ///< the last image does not reach the weights
  race,                  ///< threads share the images, and add to the same weights
};

template <Fault fault>
void broken(const SqueezeExcitationBackwardProblem& given, SqueezeExcitationBackwardOutput& out) {
  SqueezeExcitationBackwardProblem p = given;
  if (fault == Fault::through_closed_units)
    for (float& h : p.kept.hidden) h = std::max(h, 1e-6F);
  if (fault == Fault::last_image && p.batch() > 1)
    for (Index c = 0; c < p.channels(); ++c) p.kept.mean.data()[(p.batch() - 1) * p.channels() + c] = 0;
  prepare(p, out);
  SqueezeExcitationBackwardGates gates(p);
  const auto dot = [](const float* a, const float* b, Index n) {
    return plain_dot(a, b, fault == Fault::last_place ? n - 1 : n);
  };
  gate_backward_in_passes(p, out.input, false, dot, [&](Index b, float* gate_gradient, float* shift) {
    if (fault == Fault::no_slope)
      for (Index c = 0; c < p.channels(); ++c) {
        const float s = p.kept.gate.data()[b * p.channels() + c];
        gate_gradient[c] /= s * (1 - s);
      }
    gates(b, gate_gradient, shift);
    for (Index c = 0; c < p.channels(); ++c) {
      if (fault == Fault::no_mean) shift[c] = 0;
      if (fault == Fault::sum_for_mean) shift[c] *= static_cast<float>(p.places());
    }
  });
  gates.finish(false, out);
  if constexpr (fault == Fault::race) {
    // db₂ once more, the images shared out: da is what db₂ of a single image would be.
    std::fill(out.expand_bias.begin(), out.expand_bias.end(), 0.F);
#pragma omp parallel for schedule(static, 1)
    for (Index b = 0; b < p.batch(); ++b) {
      // What another thread adds between this reading and the writing below is lost.
      Tensor<1> sums = out.expand_bias;
      for (Index c = 0; c < p.channels(); ++c) {
        const float s = p.kept.gate.data()[b * p.channels() + c];
        sums.data()[c] += plain_dot(p.gradient_of(b, c), p.map_of(b, c), p.places()) * (s * (1 - s));
      }
      std::this_thread::yield();
      std::copy(sums.begin(), sums.end(), out.expand_bias.begin());
    }
  }
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(squeeze_excitation_backward(), broken<fault>, fault == Fault::race);
}

}  // namespace

TEST_CASE("squeeze_excitation_backward: the reference's gradients are the loss's central differences, and the tape's",
          "[gate][backward]") {
  for (const char* shape :
       {"batch=2,channels=5,height=3,width=4,reduction=2", "batch=3,channels=2,height=1,width=5,reduction=1",
        "batch=1,channels=6,height=2,width=2,reduction=6"}) {
    INFO(shape);
    const SqueezeExcitationBackwardProblem p = sample(shape);
    const SqueezeExcitationBackwardReference r = backward_reference(p, keep(p));
    CHECK(tests::worst_difference_share(with(p, r), tests::kinked_step) <= 1);
    CHECK(tests::largest_tape_difference(with(p, r)) <= 1e-12);
    SqueezeExcitationBackwardReference off = r;
    for (double& x : off.reduce_weight) x *= 1.0001;
    CHECK(tests::worst_difference_share(with(p, off), tests::kinked_step) > 1);
    // With what forward kept in float32 the gradients are those of float32.
    CHECK(tests::largest_tape_difference(with(p, backward_reference(p))) <= 1e-5);
  }
}

TEST_CASE("squeeze_excitation_backward: gates of 0 and 1 let nothing through to the weights", "[gate][backward]") {
  SqueezeExcitationBackwardProblem p = sample("batch=3,channels=19,height=5,width=7,reduction=4");
  for (std::size_t i = 0; i < p.kept.gate.size(); ++i) p.kept.gate.data()[i] = i % 2 == 0 ? 0.F : 1.F;
  tests::for_every_rung(squeeze_excitation_backward(), [&](const auto& rung) {
    SqueezeExcitationBackwardOutput out;
    rung.run(p, out);
    for (const auto* gradient : {&out.reduce_weight, &out.expand_weight})
      for (const float x : *gradient) REQUIRE(x == 0);
    for (std::size_t i = 0; i < p.input.size(); ++i)
      REQUIRE(out.input.data()[i] == (i / 35 % 2 == 0 ? 0.F : p.output_gradient.data()[i]));
  });
}

TEST_CASE("squeeze_excitation_backward: NaN and infinity come out where the reference has them", "[gate][backward]") {
  const SqueezeExcitationBackwardProblem plain = sample("batch=2,channels=20,height=5,width=9,reduction=4");
  std::vector<SqueezeExcitationBackwardProblem> problems(4, plain);
  problems[0].input(1, 3, 4, 8) = std::numeric_limits<float>::quiet_NaN();
  problems[1].output_gradient(0, 19, 0, 0) = std::numeric_limits<float>::infinity();
  problems[2].reduce_weight(4, 2) = std::numeric_limits<float>::quiet_NaN();
  problems[3].expand_weight(7, 1) = -std::numeric_limits<float>::infinity();
  for (auto& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(squeeze_excitation_backward(), p);
    for (std::size_t rung = 0; rung < squeeze_excitation_backward().ladder.size(); ++rung) {
      INFO(squeeze_excitation_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("squeeze_excitation_backward: the parts of these tests pass where nothing is wrong",
          "[gate][backward][broken]") {
  CHECK(fault_found<Fault::none>() == "");
}
TEST_CASE("squeeze_excitation_backward: what is wrong in the usual ways is caught", "[gate][backward][broken]") {
  CHECK_FALSE(fault_found<Fault::no_slope>().empty());
  CHECK_FALSE(fault_found<Fault::no_mean>().empty());
  CHECK_FALSE(fault_found<Fault::sum_for_mean>().empty());
  CHECK_FALSE(fault_found<Fault::through_closed_units>().empty());
  CHECK_FALSE(fault_found<Fault::last_place>().empty());
  CHECK_FALSE(fault_found<Fault::last_image>().empty());
}
TEST_CASE("squeeze_excitation_backward: images shared among threads that add to the same weights are caught",
          "[gate][backward][broken]") {
  if constexpr (tests::thread_sanitized) {
    WARN("left out: the thread sanitizer would report the race and end the tests");
  } else {
    CHECK_FALSE(fault_found<Fault::race>().empty());
  }
}
