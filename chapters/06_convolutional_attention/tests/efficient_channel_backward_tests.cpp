// The backward pass of efficient channel attention: its reference against central differences and against the tape, and
// ways to be wrong that the ladder's check must catch.
#include "efficient_channel_backward.hpp"

#include <functional>
#include <limits>

#include "autograd/arranging.hpp"
#include "autograd/convolution.hpp"
#include "autograd/functions.hpp"
#include "check_rung.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "rungs/channel_gate_backward.hpp"
#include "rungs/efficient_channel_backward_gates.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"
#include "tape_gradients.hpp"

using namespace attention;
using namespace attention::convolutional;
using autograd::Tape;
using autograd::Variable;

namespace {

EfficientChannelBackwardProblem sample(const char* shape) {
  return make_efficient_channel_backward(ladder::parse_shape(shape, efficient_channel_backward().keys), 11,
                                         ladder::Hardness::plain);
}

/// Forward on the tape, of input and weight: the channels are the columns of a picture of one row.
Variable<double> forward(Tape<double>&, const std::vector<Variable<double>>& in) {
  const tensor::Shape s = in[0].shape();
  const Variable<double> mean = autograd::mean(autograd::reshape(in[0], {s[0], s[1], s[2] * s[3]}), 2);
  const Variable<double> kernel = autograd::reshape(in[1], {1, in[1].shape()[0], 1, 1});
  const Variable<double> gate = autograd::sigmoid(
      autograd::convolution(autograd::reshape(mean, {s[0], 1, s[1], 1}), kernel));
  return in[0] * autograd::reshape(gate, {s[0], s[1], 1, 1});
}

tests::GradientCase with(const EfficientChannelBackwardProblem& p, const EfficientChannelBackwardReference& r) {
  return {forward, {p.input, p.weight}, p.output_gradient, {r.input, r.weight}};
}

/// What may be wrong with a rung.
enum class Fault {
  none,
  unturned,      ///< the kernel is not turned on the way back
  no_slope,      ///< the sigmoid's slope is left out
  wrapped,       ///< the first channel's gradient reaches the last mean
  last_channel,  ///< the last channel does not reach the weights
};

template <Fault fault>
void broken(const EfficientChannelBackwardProblem& given, EfficientChannelBackwardOutput& out) {
  EfficientChannelBackwardProblem p = given;
  if (fault == Fault::last_channel && p.channels() > 1)
    for (Index b = 0; b < p.batch(); ++b) p.kept.mean.data()[(b + 1) * p.channels() - 1] = 0;
  prepare(p, out);
  EfficientChannelBackwardGates gates(p);
  EfficientChannelBackwardProblem turned = p;
  if (fault == Fault::unturned) std::reverse(turned.weight.begin(), turned.weight.end());
  EfficientChannelBackwardGates turned_gates(turned);
  gate_backward_in_passes(p, out.input, false, plain_dot, [&](Index b, float* gate_gradient, float* shift) {
    const float* gate = p.kept.gate.data() + b * p.channels();
    if (fault == Fault::no_slope)
      for (Index c = 0; c < p.channels(); ++c) gate_gradient[c] /= gate[c] * (1 - gate[c]);
    gates(b, gate_gradient, shift);
    if (fault == Fault::unturned) turned_gates(b, gate_gradient, shift);
    const Index last = p.channels() - 1;
    if (fault == Fault::wrapped && p.kernel() > 1)
      shift[last] += p.weight.data()[p.kernel() / 2 - 1] * gate_gradient[0] * gate[0] * (1 - gate[0]) /
                     static_cast<float>(p.places());
  });
  gates.finish(out);
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(efficient_channel_backward(), broken<fault>);
}

}  // namespace

TEST_CASE("efficient_channel_backward: the reference's gradients are the loss's central differences, and the tape's",
          "[gate][backward]") {
  for (const char* shape :
       {"batch=2,channels=5,height=3,width=4,kernel=3", "batch=3,channels=2,height=1,width=5,kernel=5",
        "batch=1,channels=6,height=2,width=2,kernel=1"}) {
    INFO(shape);
    const EfficientChannelBackwardProblem p = sample(shape);
    const EfficientChannelBackwardReference r = backward_reference(p, keep(p));
    CHECK(tests::worst_difference_share(with(p, r)) <= 1);
    CHECK(tests::largest_tape_difference(with(p, r)) <= 1e-12);
    EfficientChannelBackwardReference off = r;
    for (double& x : off.weight) x *= 1.0001;
    CHECK(tests::worst_difference_share(with(p, off)) > 1);
    CHECK(tests::largest_tape_difference(with(p, backward_reference(p))) <= 1e-5);
  }
}

TEST_CASE("efficient_channel_backward: a gate's gradient reaches the channels that it saw and no others",
          "[gate][backward]") {
  EfficientChannelBackwardProblem p = sample("batch=1,channels=12,height=4,kernel=5");
  // Only channel 6 has a gradient: its gate saw the means of 4 to 8.
  for (Index c = 0; c < 12; ++c)
    if (c != 6) std::fill_n(p.output_gradient.data() + c * 16, 16, 0.F);
  tests::for_every_rung(efficient_channel_backward(), [&](const auto& rung) {
    EfficientChannelBackwardOutput out;
    rung.run(p, out);
    for (Index c = 0; c < 12; ++c) CHECK((out.input.data()[c * 16] == 0) == (c < 4 || c > 8));
  });
}

TEST_CASE("efficient_channel_backward: NaN and infinity come out where the reference has them", "[gate][backward]") {
  const EfficientChannelBackwardProblem plain = sample("batch=2,channels=20,height=5,width=9,kernel=3");
  std::vector<EfficientChannelBackwardProblem> problems(3, plain);
  problems[0].input(1, 3, 4, 8) = std::numeric_limits<float>::quiet_NaN();
  problems[1].output_gradient(0, 19, 0, 0) = std::numeric_limits<float>::infinity();
  problems[2].weight(0) = std::numeric_limits<float>::quiet_NaN();
  for (auto& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(efficient_channel_backward(), p);
    for (std::size_t rung = 0; rung < efficient_channel_backward().ladder.size(); ++rung) {
      INFO(efficient_channel_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("efficient_channel_backward: the parts of these tests pass where nothing is wrong",
          "[gate][backward][broken]") {
  CHECK(fault_found<Fault::none>() == "");
}
TEST_CASE("efficient_channel_backward: what is wrong in the usual ways is caught", "[gate][backward][broken]") {
  CHECK_FALSE(fault_found<Fault::unturned>().empty());
  CHECK_FALSE(fault_found<Fault::no_slope>().empty());
  CHECK_FALSE(fault_found<Fault::wrapped>().empty());
  CHECK_FALSE(fault_found<Fault::last_channel>().empty());
}
