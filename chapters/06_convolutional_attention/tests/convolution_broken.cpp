// Tests of the tests: convolutions that are wrong in the usual ways, each of which the ladder's check must catch.
#include <algorithm>

#include "catch.hpp"
#include "check_rung.hpp"
#include "convolution.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool none = false;
  bool border_off_by_one = false;   ///< the window begins one column too far left
  bool drop_last_channels = false;  ///< output channels beyond the last whole block of 12 keep their bias
  bool flipped = false;             ///< the kernel is flipped: a convolution in the mathematician's sense
  bool wrapped = false;             ///< a patch runs over the end of its row
  bool no_bias = false;
  bool transposed_kernel = false;
  bool undilated = false;  ///< the taps stand side by side whatever the dilation
};

template <Faults faults>
void broken(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel();
  const Index d = faults.undilated ? 1 : p.dilation;
  const Index whole = p.out_channels() / 12 * 12;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index o = 0; o < p.out_channels(); ++o)
      for (Index y = 0; y < p.height(); ++y)
        for (Index x = 0; x < p.width(); ++x) {
          float sum = faults.no_bias ? 0 : p.bias.data()[o];
          const bool left_out = faults.drop_last_channels && o >= whole && whole > 0;
          for (Index c = 0; c < (left_out ? 0 : p.in_channels()); ++c)
            for (Index u = 0; u < kernel; ++u)
              for (Index v = 0; v < kernel; ++v) {
                const Index from_y = y + (u - kernel / 2) * d;
                const Index from_x = x + (v - kernel / 2) * d - (faults.border_off_by_one ? 1 : 0);
                const Index at = from_y * p.width() + from_x;
                const bool inside = from_y >= 0 && from_y < p.height() && from_x >= 0 && from_x < p.width();
                if (faults.wrapped ? at < 0 || at >= p.pixels() : !inside) continue;
                Index tap = u * kernel + v;
                if (faults.flipped) tap = kernel * kernel - 1 - tap;
                if (faults.transposed_kernel) tap = v * kernel + u;
                sum += p.weight.data()[o * p.depth() + c * kernel * kernel + tap] * p.image_of(b)[c * p.pixels() + at];
              }
          out.plane_of(b, o)[y * p.width() + x] = sum;
        }
}

template <Faults faults>
std::string fault() {
  return tests::fault_of(convolution(), broken<faults>);
}

}  // namespace

TEST_CASE("convolution: the loops of these tests pass where nothing is wrong", "[convolution][broken]") {
  CHECK(fault<Faults{.none = true}>() == "");
}
TEST_CASE("convolution: a border off by one is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.border_off_by_one = true}>().empty());
}
TEST_CASE("convolution: a dropped last block of output channels is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.drop_last_channels = true}>().empty());
}
TEST_CASE("convolution: a flipped kernel is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.flipped = true}>().empty());
}
TEST_CASE("convolution: a patch that runs over its row is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.wrapped = true}>().empty());
}
TEST_CASE("convolution: a forgotten bias is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.no_bias = true}>().empty());
}
TEST_CASE("convolution: a transposed kernel is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.transposed_kernel = true}>().empty());
}
TEST_CASE("convolution: a forgotten dilation is caught", "[convolution][broken]") {
  CHECK_FALSE(fault<Faults{.undilated = true}>().empty());
}
