// Tests of the tests: CBAMs that are wrong in the usual ways, each of which the ladder's check must catch.
#include "catch.hpp"
#include "cbam.hpp"
#include "check_rung.hpp"
#include "rungs/cbam_passes.hpp"
#include "rungs/convolution_rungs.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
enum class Fault {
  none,
  maximum_from_zero,     ///< the maximum over the places begins with 0, not with −infinity
  no_maximum,            ///< the channel gate sees the mean alone
  ungated_pools,         ///< the pools over the channels are of F, not of F′
  sum_over_channels,     ///< a sum in the place of the mean over the channels
  exchanged_pools,       ///< the kernel of the maximum meets the mean
  channel_gate_omitted,  ///< the output lacks M_c
};

template <Fault fault>
struct Broken : CbamPlain {
  static SumAndMaximum over_places(const float* x, Index n) {
    SumAndMaximum of = CbamPlain::over_places(x, n);
    if (fault == Fault::maximum_from_zero) of.maximum = std::max(of.maximum, 0.F);
    if (fault == Fault::no_maximum) of.maximum = of.sum / static_cast<float>(n);
    return of;
  }
  static void over_channels(const CbamProblem& p, Index b, const float* gate, float* mean, float* largest) {
    const tensor::Buffer ones(static_cast<std::size_t>(p.channels()), 1.F);
    if (fault == Fault::exchanged_pools) std::swap(mean, largest);
    CbamPlain::over_channels(p, b, fault == Fault::ungated_pools ? ones.data() : gate, mean, largest);
    if (fault == Fault::sum_over_channels)
      for (Index i = 0; i < p.places(); ++i) mean[i] *= static_cast<float>(p.channels());
  }
  static void multiply(const float* x, Index n, float channel_gate, const float* spatial_gate, float* to) {
    CbamPlain::multiply(x, n, fault == Fault::channel_gate_omitted ? 1 : channel_gate, spatial_gate, to);
  }
};

template <Fault fault>
void broken(const CbamProblem& p, CbamOutput& out) {
  cbam_in_passes<Broken<fault>>(p, out, false, convolution_loops);
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(cbam(), broken<fault>);
}

}  // namespace

TEST_CASE("cbam: the parts of these tests pass where nothing is wrong", "[cbam][broken]") {
  CHECK(fault_found<Fault::none>() == "");
}
TEST_CASE("cbam: a maximum that begins with 0 is caught", "[cbam][broken]") {
  CHECK_FALSE(fault_found<Fault::maximum_from_zero>().empty());
}
TEST_CASE("cbam: a channel gate without the maximum is caught", "[cbam][broken]") {
  CHECK_FALSE(fault_found<Fault::no_maximum>().empty());
}
TEST_CASE("cbam: pools of the maps without their channel gates are caught", "[cbam][broken]") {
  CHECK_FALSE(fault_found<Fault::ungated_pools>().empty());
}
TEST_CASE("cbam: a sum over the channels is caught", "[cbam][broken]") {
  CHECK_FALSE(fault_found<Fault::sum_over_channels>().empty());
}
TEST_CASE("cbam: exchanged pools are caught", "[cbam][broken]") { CHECK_FALSE(fault_found<Fault::exchanged_pools>().empty()); }
TEST_CASE("cbam: a forgotten channel gate is caught", "[cbam][broken]") {
  CHECK_FALSE(fault_found<Fault::channel_gate_omitted>().empty());
}
