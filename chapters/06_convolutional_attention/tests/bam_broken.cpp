// Tests of the tests: bottleneck attention modules that are wrong in the usual ways, each of which the ladder's check must catch.
#include "bam.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "rungs/bam_passes.hpp"
#include "rungs/convolution_rungs.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
enum class Fault {
  none,
  sum_for_mean,    ///< the channel branch sees sums
  last_place,      ///< the last place of a map is not summed
  multiplied,      ///< σ(M_c · M_s), as in the published code
  two_sigmoids,    ///< σ(M_c) σ(M_s), as in CBAM
  no_residual,     ///< F ⊗ M
  no_relu,         ///< the layers of the spatial branch without theirs
  undilated,       ///< the taps of f₁ and f₂ stand side by side
  no_bias,         ///< the convolutions of 1 × 1 begin with 0
  channel_only,    ///< M_s is left out
};

template <Fault fault>
struct Broken : BamPlain {
  static float sum(const float* x, Index n) {
    const float whole = BamPlain::sum(x, fault == Fault::last_place ? n - 1 : n);
    return fault == Fault::sum_for_mean ? whole * static_cast<float>(n) : whole;
  }
  static void mix(const BamLayer& layer, const float* maps, Index places, float* to) {
    BamLayer used = layer;
    if (fault == Fault::no_bias) used.bias.fill(0);
    BamPlain::mix(used, maps, places, to);
  }
  static void rectify(float* x, Index n) {
    if (fault != Fault::no_relu) BamPlain::rectify(x, n);
  }
  static void multiply(const float* x, Index n, float channel, const float* spatial, float* to) {
    for (Index i = 0; i < n; ++i) {
      float gate = sigmoid(channel + spatial[i]);
      if (fault == Fault::multiplied) gate = sigmoid(channel * spatial[i]);
      if (fault == Fault::two_sigmoids) gate = sigmoid(channel) * sigmoid(spatial[i]);
      if (fault == Fault::channel_only) gate = sigmoid(channel);
      to[i] = (fault == Fault::no_residual ? gate : 1 + gate) * x[i];
    }
  }
};

template <Fault fault>
void convolve(const ConvolutionProblem& p, ConvolutionOutput& out) {
  ConvolutionProblem used = p;
  if (fault == Fault::undilated) used.dilation = 1;
  convolution_loops(used, out);
}

template <Fault fault>
void broken(const BamProblem& p, BamOutput& out) {
  bam_in_passes<Broken<fault>>(p, out, false, convolve<fault>);
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(bam(), broken<fault>);
}

}  // namespace

TEST_CASE("bam: the parts of these tests pass where nothing is wrong", "[bam][broken]") { CHECK(fault_found<Fault::none>() == ""); }
TEST_CASE("bam: a sum in the mean's place is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::sum_for_mean>().empty()); }
TEST_CASE("bam: a forgotten last place is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::last_place>().empty()); }
TEST_CASE("bam: branches that are multiplied, not added, are caught", "[bam][broken]") {
  CHECK_FALSE(fault_found<Fault::multiplied>().empty());
}
TEST_CASE("bam: a sigmoid for each branch is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::two_sigmoids>().empty()); }
TEST_CASE("bam: a forgotten residual is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::no_residual>().empty()); }
TEST_CASE("bam: a forgotten max(0, ·) is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::no_relu>().empty()); }
TEST_CASE("bam: a forgotten dilation is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::undilated>().empty()); }
TEST_CASE("bam: a forgotten bias is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::no_bias>().empty()); }
TEST_CASE("bam: a forgotten spatial branch is caught", "[bam][broken]") { CHECK_FALSE(fault_found<Fault::channel_only>().empty()); }
