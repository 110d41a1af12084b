// CBAM's backward pass: its reference against central differences and against the tape, what a maximum that two share
// gives, and ways to be wrong that the ladder's check must catch.
#include "cbam_backward.hpp"

#include <algorithm>
#include <limits>
#include <thread>

#include "autograd/arranging.hpp"
#include "autograd/convolution.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "check_rung.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "rungs/cbam_backward_passes.hpp"
#include "rungs/cbam_backward_rungs.hpp"
#include "rungs/convolution_backward_rungs.hpp"
#include "sanitized.hpp"
#include "tape_gradients.hpp"

using namespace attention;
using namespace attention::convolutional;
using autograd::Right;
using autograd::Tape;
using autograd::Variable;

namespace {

CbamBackwardProblem sample(const char* shape) {
  return make_cbam_backward(ladder::parse_shape(shape, cbam_backward().keys), 11, ladder::Hardness::plain);
}

/// Forward on the tape, of input, W₀, W₁, f.
Variable<double> forward(Tape<double>&, const std::vector<Variable<double>>& in) {
  const tensor::Shape s = in[0].shape();
  const Variable<double> flat = autograd::reshape(in[0], {s[0], s[1], s[2] * s[3]});
  const auto excitation = [&](const Variable<double>& pooled) {
    return autograd::matmul(autograd::relu(autograd::matmul(pooled, in[1], Right::transposed)), in[2],
                            Right::transposed);
  };
  const Variable<double> channel_gate = autograd::sigmoid(excitation(autograd::mean(flat, 2)) +
                                                          excitation(autograd::largest(flat, 2)));
  const Variable<double> gated = in[0] * autograd::reshape(channel_gate, {s[0], s[1], 1, 1});
  const tensor::Shape plane{s[0], s[2], s[3], 1};
  const Variable<double> pooled = autograd::concatenate(
      std::vector{autograd::reshape(autograd::mean(gated, 1), plane),
                  autograd::reshape(autograd::largest(gated, 1), plane)},
      3);
  const tensor::Shape k = in[3].shape();
  const Variable<double> kernel = autograd::reshape(autograd::permute(in[3], {1, 2, 0}), {k[1], k[2], 2, 1});
  const Variable<double> spatial_gate = autograd::sigmoid(autograd::convolution(pooled, kernel));
  return gated * autograd::reshape(spatial_gate, {s[0], 1, s[2], s[3]});
}

tests::GradientCase with(const CbamBackwardProblem& p, const CbamBackwardReference& r) {
  return {forward,
          {p.input, p.reduce_weight, p.expand_weight, p.spatial_weight},
          p.output_gradient,
          {r.input, r.reduce_weight, r.expand_weight, r.spatial_weight}};
}

/// What may be wrong with a rung.
enum class Fault {
  none,
  maximum_to_first,       ///< the maximum over the channels gives its gradient to the first channel, whichever has it
  maximum_to_none,        ///< … to none
  maximum_to_last_place,  ///< the maximum over the places gives its gradient to the last place
  through_closed_units,   ///< both ways share one ReLU
  unturned,               ///< the spatial kernel is not turned
  sum_over_channels,      ///< the mean over the channels is not divided
  spatial_slope_omitted,  ///< dT without M_s (1 − M_s)
  last_image,             ///< the last image does not reach the spatial kernel
  race,                   ///< threads share the images, and add to the same spatial kernel
};

template <Fault fault>
void broken_convolution(const ConvolutionBackwardProblem& given, ConvolutionBackwardOutput& out) {
  ConvolutionBackwardProblem p = given;
  if (fault == Fault::unturned)
    for (Index which = 0; which < 2; ++which)
      std::reverse(p.weight.data() + which * p.kernel() * p.kernel(),
                   p.weight.data() + (which + 1) * p.kernel() * p.kernel());
  if (fault == Fault::last_image && p.batch() > 1)
    std::fill_n(p.input.data() + 2 * (p.batch() - 1) * p.pixels(), 2 * p.pixels(), 0.F);
  convolution_backward_loops(p, out);
  for (Index b = 0; b < p.batch(); ++b) {
    if (fault == Fault::sum_over_channels)
      for (Index i = 0; i < p.pixels(); ++i) out.plane_of(b, 0)[i] *= 7;
    if (fault == Fault::maximum_to_none) std::fill_n(out.plane_of(b, 1), p.pixels(), 0.F);
  }
  if constexpr (fault == Fault::race) {
    std::fill(out.weight_gradient.begin(), out.weight_gradient.end(), 0.F);
#pragma omp parallel for schedule(static, 1)
    for (Index b = 0; b < p.batch(); ++b) {
      // What another thread adds between this reading and the writing below is lost.
      Tensor<4> weights = out.weight_gradient;
      ConvolutionBackwardProblem one = p;
      for (Index other = 0; other < p.batch(); ++other)
        if (other != b) std::fill_n(one.output_gradient.data() + other * p.pixels(), p.pixels(), 0.F);
      ConvolutionBackwardOutput part;
      convolution_backward_loops(one, part);
      weights += part.weight_gradient;
      std::this_thread::yield();
      std::copy(weights.begin(), weights.end(), out.weight_gradient.begin());
    }
  }
}

template <Fault fault>
void broken(const CbamBackwardProblem& given, CbamBackwardOutput& out) {
  CbamBackwardProblem p = given;
  if (fault == Fault::through_closed_units) p.kept.hidden_largest = p.kept.hidden_mean;
  if (fault == Fault::spatial_slope_omitted) p.kept.spatial_gate.fill(0.5F);
  if (fault == Fault::maximum_to_first) p.kept.largest_channel.fill(0);
  if (fault == Fault::maximum_to_last_place) p.kept.largest_place.fill(static_cast<std::int32_t>(p.places() - 1));
  cbam_backward_in_passes(p, out, false, broken_convolution<fault>);
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(cbam_backward(), broken<fault>, fault == Fault::race);
}

}  // namespace

TEST_CASE("cbam_backward: the reference's gradients are the loss's central differences, and the tape's",
          "[cbam][backward]") {
  for (const char* shape : {"batch=2,channels=5,height=3,width=4,reduction=2,kernel=3",
                            "batch=1,channels=4,height=2,width=5,reduction=1,kernel=7",
                            "batch=2,channels=3,height=3,width=3,reduction=3,kernel=1"}) {
    INFO(shape);
    const CbamBackwardProblem p = sample(shape);
    const CbamBackwardReference r = backward_reference(p, keep(p));
    // No two of these random numbers are within the step of each other: the maxima's kinks are not met.
    CHECK(tests::worst_difference_share(with(p, r), tests::kinked_step) <= 1);
    CHECK(tests::largest_tape_difference(with(p, r)) <= 1e-12);
    CbamBackwardReference off = r;
    for (double& x : off.spatial_weight) x *= 1.0001;
    CHECK(tests::worst_difference_share(with(p, off), tests::kinked_step) > 1);
    CHECK(tests::largest_tape_difference(with(p, backward_reference(p))) <= 1e-5);
  }
}

TEST_CASE("cbam_backward: where two share a maximum the first gets its gradient, as on the tape", "[cbam][backward]") {
  CbamBackwardProblem p = sample("batch=2,channels=4,height=3,width=3,reduction=1,kernel=3");
  // Every map's largest number stands at two places, and two channels are the same with the same weights.
  for (Index m = 0; m < 8; ++m) p.input.data()[m * 9 + 3] = p.input.data()[m * 9 + 7] = 4;
  for (Index b = 0; b < 2; ++b) std::copy_n(p.input.data() + (b * 4 + 1) * 9, 9, p.input.data() + (b * 4 + 2) * 9);
  for (Index j = 0; j < p.hidden(); ++j) {
    p.expand_weight.data()[2 * p.hidden() + j] = p.expand_weight.data()[p.hidden() + j];
    p.reduce_weight.data()[j * 4 + 2] = p.reduce_weight.data()[j * 4 + 1];
  }
  run_forward(p);
  for (const std::int32_t place : p.kept.largest_place) CHECK(place == 3);
  for (const std::int32_t channel : p.kept.largest_channel) CHECK(channel != 2);
  CHECK(tests::largest_tape_difference(with(p, backward_reference(p, keep(p)))) <= 1e-12);
  const auto trial = ladder::make_trial(cbam_backward(), p);
  for (std::size_t rung = 0; rung < cbam_backward().ladder.size(); ++rung) {
    INFO(cbam_backward().ladder[rung].name);
    trial->spoil();
    trial->run(rung);
    const ladder::CheckResult result = trial->check(rung, {});
    INFO(result.fault);
    CHECK(result.passed);
  }
}

TEST_CASE("cbam_backward: NaN in the input or in G comes out where the reference has it", "[cbam][backward]") {
  const CbamBackwardProblem plain = sample("batch=2,channels=20,height=9,width=19,reduction=4,kernel=3");
  std::vector<CbamBackwardProblem> problems(3, plain);
  problems[0].input(1, 3, 4, 8) = std::numeric_limits<float>::quiet_NaN();
  problems[1].output_gradient(0, 19, 4, 4) = std::numeric_limits<float>::quiet_NaN();
  problems[2].spatial_weight(1, 0, 2) = std::numeric_limits<float>::quiet_NaN();
  for (auto& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(cbam_backward(), p);
    for (std::size_t rung = 0; rung < cbam_backward().ladder.size(); ++rung) {
      INFO(cbam_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("cbam_backward: the parts of these tests pass where nothing is wrong", "[cbam][backward][broken]") {
  CHECK(fault_found<Fault::none>() == "");
}
TEST_CASE("cbam_backward: what is wrong in the usual ways is caught", "[cbam][backward][broken]") {
  CHECK_FALSE(fault_found<Fault::maximum_to_first>().empty());
  CHECK_FALSE(fault_found<Fault::maximum_to_none>().empty());
  CHECK_FALSE(fault_found<Fault::maximum_to_last_place>().empty());
  CHECK_FALSE(fault_found<Fault::through_closed_units>().empty());
  CHECK_FALSE(fault_found<Fault::unturned>().empty());
  CHECK_FALSE(fault_found<Fault::sum_over_channels>().empty());
  CHECK_FALSE(fault_found<Fault::spatial_slope_omitted>().empty());
  CHECK_FALSE(fault_found<Fault::last_image>().empty());
}
TEST_CASE("cbam_backward: images shared among threads that add to the same kernel are caught",
          "[cbam][backward][broken]") {
  if constexpr (tests::thread_sanitized) {
    WARN("left out: the thread sanitizer would report the race and end the tests");
  } else {
    CHECK_FALSE(fault_found<Fault::race>().empty());
  }
}
