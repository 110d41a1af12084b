// Tests of the tests: depthwise convolutions that are wrong in the usual ways, each of which the ladder's check must
// catch.
#include <algorithm>

#include "catch.hpp"
#include "check_rung.hpp"
#include "depthwise.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool none = false;
  bool neighbours_weight = false;  ///< every channel takes the first one's kernel
  bool one_image = false;          ///< kernels are counted on over the images
  bool border_off_by_one = false;  ///< the window begins one column too far left
  bool band_without_halo = false;  ///< rows from the fifth on do not see the row above them
  bool no_last_columns = false;    ///< columns beyond the last whole vector keep the bias
  bool transposed_kernel = false;
  bool no_bias = false;
};

template <Faults faults>
void broken(const DepthwiseProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel();
  for (Index plane = 0; plane < p.planes(); ++plane) {
    const float* weight = faults.neighbours_weight
                              ? p.weight.data()
                              : p.weight_of(faults.one_image ? std::min(plane, p.channels() - 1) : plane);
    for (Index y = 0; y < p.height(); ++y)
      for (Index x = 0; x < p.width(); ++x) {
        float sum = faults.no_bias ? 0 : p.bias_of(plane);
        const bool left_out = faults.no_last_columns && p.width() > 16 && x >= p.width() / 16 * 16;
        for (Index u = 0; u < kernel && !left_out; ++u)
          for (Index v = 0; v < kernel; ++v) {
            const Index from_y = y + u - p.radius();
            const Index from_x = x + v - p.radius() - (faults.border_off_by_one ? 1 : 0);
            if (from_y < 0 || from_y >= p.height() || from_x < 0 || from_x >= p.width()) continue;
            if (faults.band_without_halo && y % 4 == 0 && from_y < y) continue;
            const Index tap = faults.transposed_kernel ? v * kernel + u : u * kernel + v;
            sum += weight[tap] * p.plane(plane)[from_y * p.width() + from_x];
          }
        out.output.data()[plane * p.pixels() + y * p.width() + x] = sum;
      }
  }
}

template <Faults faults>
std::string fault() {
  return tests::fault_of(depthwise(), broken<faults>);
}

}  // namespace

TEST_CASE("depthwise: the loops of these tests pass where nothing is wrong", "[depthwise][broken]") {
  CHECK(fault<Faults{.none = true}>() == "");
}
TEST_CASE("depthwise: another channel's kernel is caught", "[depthwise][broken]") {
  CHECK_FALSE(fault<Faults{.neighbours_weight = true}>().empty());
  CHECK_FALSE(fault<Faults{.one_image = true}>().empty());
}
TEST_CASE("depthwise: a border off by one is caught", "[depthwise][broken]") {
  CHECK_FALSE(fault<Faults{.border_off_by_one = true}>().empty());
}
TEST_CASE("depthwise: a band that does not see the row above it is caught", "[depthwise][broken]") {
  CHECK_FALSE(fault<Faults{.band_without_halo = true}>().empty());
}
TEST_CASE("depthwise: forgotten last columns are caught", "[depthwise][broken]") {
  CHECK_FALSE(fault<Faults{.no_last_columns = true}>().empty());
}
TEST_CASE("depthwise: a transposed kernel is caught", "[depthwise][broken]") {
  CHECK_FALSE(fault<Faults{.transposed_kernel = true}>().empty());
}
TEST_CASE("depthwise: a forgotten bias is caught", "[depthwise][broken]") {
  CHECK_FALSE(fault<Faults{.no_bias = true}>().empty());
}
