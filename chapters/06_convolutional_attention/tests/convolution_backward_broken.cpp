// Tests of the tests: backward passes of the convolution that are wrong in the usual ways, each of which the ladder's
// check must catch.
#include <algorithm>
#include <thread>

#include "catch.hpp"
#include "check_rung.hpp"
#include "convolution_backward.hpp"
#include "rungs/convolution_backward_plane.hpp"
#include "rungs/convolution_backward_rungs.hpp"
#include "sanitized.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool none = false;
  bool unturned = false;              ///< the kernel is not turned on the way back to the input
  bool exchanged_shift = false;       ///< a weight's gradient sees the other side's pixels
  bool last_image_forgotten = false;  ///< in the weights' gradients
  bool last_row_forgotten = false;    ///< likewise
  bool undilated = false;             ///< the way back forgets the dilation
  bool mean_over_images = false;      ///< the weights' gradients are divided by the batch
  bool race = false;                  ///< threads share the images, and add to the same weights
};

template <Faults faults>
void broken(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel();
  const Index radius = p.radius();
  const auto pixel = [&p](const float* plane, Index y, Index x) {
    return y >= 0 && y < p.height() && x >= 0 && x < p.width() ? plane[y * p.width() + x] : 0.F;
  };
  std::fill(out.weight_gradient.begin(), out.weight_gradient.end(), 0.F);
  std::fill(out.input_gradient.begin(), out.input_gradient.end(), 0.F);
  const Index images = p.batch() - (faults.last_image_forgotten && p.batch() > 1 ? 1 : 0);
  const Index rows = p.height() - (faults.last_row_forgotten && p.height() > 1 ? 1 : 0);
  const float share = faults.mean_over_images ? 1 / static_cast<float>(p.batch()) : 1;
  const auto image = [&](Index b) {
    // What another thread adds between this reading and the writing below is lost.
    Tensor<4> weights = out.weight_gradient;
    for (Index o = 0; o < p.out_channels(); ++o)
      for (Index c = 0; c < p.in_channels(); ++c)
        for (Index u = 0; u < kernel; ++u)
          for (Index v = 0; v < kernel; ++v) {
            const Index down = p.dilation * u - radius;
            const Index right = p.dilation * v - radius;
            const Index at = o * p.depth() + (c * kernel + u) * kernel + v;
            float sum = 0;
            for (Index y = 0; y < (b < images ? rows : 0); ++y)
              for (Index x = 0; x < p.width(); ++x)
                sum += p.gradient_of(b, o)[y * p.width() + x] *
                       (faults.exchanged_shift ? pixel(p.image_of(b) + c * p.pixels(), y - down, x - right)
                                               : pixel(p.image_of(b) + c * p.pixels(), y + down, x + right));
            weights.data()[at] += share * sum;
            const Index back_down = faults.undilated ? u - kernel / 2 : down;
            const Index back_right = faults.undilated ? v - kernel / 2 : right;
            for (Index y = 0; y < p.height(); ++y)
              for (Index x = 0; x < p.width(); ++x)
                out.plane_of(b, c)[y * p.width() + x] +=
                    p.weight.data()[at] * (faults.unturned ? pixel(p.gradient_of(b, o), y + back_down, x + back_right)
                                                           : pixel(p.gradient_of(b, o), y - back_down, x - back_right));
          }
    if (faults.race) std::this_thread::yield();
    std::copy(weights.begin(), weights.end(), out.weight_gradient.begin());
  };
  if constexpr (faults.race) {
#pragma omp parallel for schedule(static, 1)
    for (Index b = 0; b < p.batch(); ++b) image(b);
  } else {
    for (Index b = 0; b < p.batch(); ++b) image(b);
  }
  for (Index o = 0; o < p.out_channels(); ++o) out.bias_gradient.data()[o] = bias_gradient(p, o);
}

template <Faults faults>
std::string fault(bool parallel = false) {
  return tests::fault_of(convolution_backward(), broken<faults>, parallel);
}

/// The top rung of a problem of which something was forgotten.
void stale_input(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  ConvolutionBackwardProblem other = p;
  other.input.data()[other.input.size() - 1] = 0;
  convolution_backward_channels_last(other, out);
}

}  // namespace

TEST_CASE("convolution_backward: the loops of these tests pass where nothing is wrong",
          "[convolution][backward][broken]") {
  CHECK(fault<Faults{.none = true}>() == "");
}
TEST_CASE("convolution_backward: a kernel that is not turned is caught", "[convolution][backward][broken]") {
  CHECK_FALSE(fault<Faults{.unturned = true}>().empty());
}
TEST_CASE("convolution_backward: pixels of the other side are caught", "[convolution][backward][broken]") {
  CHECK_FALSE(fault<Faults{.exchanged_shift = true}>().empty());
}
TEST_CASE("convolution_backward: a forgotten last image or row is caught", "[convolution][backward][broken]") {
  CHECK_FALSE(fault<Faults{.last_image_forgotten = true}>().empty());
  CHECK_FALSE(fault<Faults{.last_row_forgotten = true}>().empty());
}
TEST_CASE("convolution_backward: a forgotten dilation is caught", "[convolution][backward][broken]") {
  CHECK_FALSE(fault<Faults{.undilated = true}>().empty());
}
TEST_CASE("convolution_backward: a mean over the images is caught", "[convolution][backward][broken]") {
  CHECK_FALSE(fault<Faults{.mean_over_images = true}>().empty());
}
TEST_CASE("convolution_backward: a pixel that was lost is caught", "[convolution][backward][broken]") {
  CHECK_FALSE(tests::fault_of(convolution_backward(), stale_input).empty());
}
TEST_CASE("convolution_backward: images shared among threads that add to the same weights are caught",
          "[convolution][backward][broken]") {
  if constexpr (tests::thread_sanitized) {
    WARN("left out: the thread sanitizer would report the race and end the tests");
  } else {
    CHECK_FALSE(fault<Faults{.race = true}>(true).empty());
  }
}
