// Tests of the tests: backward passes of the bottleneck attention module that are wrong in the usual ways, each of
// which the ladder's check must catch.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "bam_backward.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "rungs/bam_backward_passes.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung; each is right but for one thing.
enum class Fault {
  none,
  gate_alone,
  no_one,
  not_turned,
  no_relu,
  dilation,
  no_division,
  forget_last_place,
  unsummed,
  race
};

/// The plain parts, wrong in one of them.
template <Fault fault>
struct Parts : BamBackwardPlain {
  using BamBackwardPlain::BamBackwardPlain;

  static void gather(const BamBackwardProblem& p, Index b, Index first, Index count, float* channels, float* places) {
    BamBackwardPlain::gather(p, b, first, count, channels, places);
    if (fault == Fault::forget_last_place) places[count - 1] = 0;
  }

  static void spread(const BamBackwardProblem& p, Index b, Index c, float mean_gradient, const float* inner,
                     BamBackwardOutput& out) {
    const Index places = p.forward.places();
    // A sum instead of a mean.
    if (fault == Fault::no_division) mean_gradient *= static_cast<float>(places);
    BamBackwardPlain::spread(p, b, c, mean_gradient, inner, out);
    float* dx = out.input.data() + (b * p.forward.channels() + c) * places;
    for (Index i = 0; i < places; ++i) {
      const float dy = p.output_gradient_of(b)[c * places + i];
      // F′ = F M instead of F (1 + M); the gates taken for constants.
      if (fault == Fault::no_one) dx[i] -= dy;
      if (fault == Fault::gate_alone) dx[i] = dy * (1 + gate(p, b, c, i));
    }
  }

  static void convolution_backward(const BamProblem& f, const BamLayer& layer, const float* maps, const float* gradient,
                                   float* weight_gradient, float* bias_gradient, float* maps_gradient) {
    BamProblem wrong{};
    wrong.input = f.input;
    wrong.dilation = fault == Fault::dilation ? f.dilation + 1 : f.dilation;
    BamLayer used = layer;
    // The taps as forward has them, not turned round.
    if (fault == Fault::not_turned) used.weight = Tensor<4>(xt::flip(xt::flip(layer.weight, 2), 3));
    BamBackwardPlain::convolution_backward(wrong, used, maps, gradient, weight_gradient, bias_gradient, maps_gradient);
  }
};

template <Fault fault>
void broken(const BamBackwardProblem& given, BamBackwardOutput& out) {
  BamBackwardProblem p = given;
  // Every unit of the first layer's maps hands its gradient on.
  if (fault == Fault::no_relu)
    for (float& x : p.inner[0])
      if (!(x > 0)) x = 1e-30F;
  bam_backward_in_passes<Parts<fault>>(p, out, false);
  if (fault == Fault::unsummed)
    for (float& x : out.spatial[0].weight) x /= static_cast<float>(p.forward.batch());
  // What a race does, a result that depends on the number of threads, without one.
  if (fault == Fault::race)
    out.expand_bias.data()[0] +=
        1e-6F * static_cast<float>(omp_get_max_threads()) * std::abs(out.expand_bias.data()[0]);
}

template <Fault fault>
std::string found(bool parallel = false) {
  return tests::fault_of(bam_backward(), broken<fault>, parallel);
}

}  // namespace

TEST_CASE("bam backward: the broken pass is right without a fault", "[bam][backward][broken]") {
  CHECK(found<Fault::none>() == "");
}
TEST_CASE("bam backward: gates taken for constants are caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::gate_alone>().empty());
}
TEST_CASE("bam backward: a forgotten residual is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::no_one>().empty());
}
TEST_CASE("bam backward: taps that are not turned round are caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::not_turned>().empty());
}
TEST_CASE("bam backward: a forgotten ReLU is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::no_relu>().empty());
}
TEST_CASE("bam backward: another dilation is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::dilation>().empty());
}
TEST_CASE("bam backward: a forgotten division of the means is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::no_division>().empty());
}
TEST_CASE("bam backward: a forgotten last place is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::forget_last_place>().empty());
}
TEST_CASE("bam backward: a mean over the images instead of a sum is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::unsummed>().empty());
}
TEST_CASE("bam backward: what depends on the number of threads is caught", "[bam][backward][broken]") {
  CHECK_FALSE(found<Fault::race>(true).empty());
}
