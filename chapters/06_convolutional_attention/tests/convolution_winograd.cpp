// Winograd's rungs: what they compute, what they leave alone, and that their wider bound still catches what is wrong.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "check_rung.hpp"
#include "convolution.hpp"
#include "ladder/climb.hpp"
#include "ladder/publish.hpp"
#include "rungs/convolution_rungs.hpp"
#include "rungs/winograd_transforms.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

ConvolutionProblem sample(const char* shape) {
  return make_convolution(ladder::parse_shape(shape, convolution().keys), 5, ladder::Hardness::plain);
}

/// One row of m outputs, by the matrices, in float64: Aᵀ [(G g) ⊙ (Bᵀ d)].
template <int Outputs>
void check_matrices() {
  using T = WinogradTransforms<Outputs>;
  const double g[3] = {0.75, -2, 1.25};
  double d[Outputs + 2];
  for (int i = 0; i < Outputs + 2; ++i) d[i] = std::cos(3. * i);
  double products[Outputs + 2];
  for (std::size_t i = 0; i < Outputs + 2; ++i) {
    double filter = 0;
    double input = 0;
    for (std::size_t j = 0; j < 3; ++j) filter += static_cast<double>(T::of_filter[i][j]) * g[j];
    for (std::size_t j = 0; j < Outputs + 2; ++j) input += static_cast<double>(T::of_input[i][j]) * d[j];
    products[i] = filter * input;
  }
  for (std::size_t k = 0; k < Outputs; ++k) {
    double output = 0;
    for (std::size_t i = 0; i < Outputs + 2; ++i) output += static_cast<double>(T::of_products[k][i]) * products[i];
    CHECK(std::abs(output - (d[k] * g[0] + d[k + 1] * g[1] + d[k + 2] * g[2])) < 1e-5);
  }
}

/// The fault of `run` under the bound of the rung called `name`.
std::string fault_in_place_of(const char* name, void (*run)(const ConvolutionProblem&, ConvolutionOutput&)) {
  auto mechanism = convolution();
  auto rung = *std::ranges::find(mechanism.ladder, name, &std::decay_t<decltype(mechanism.ladder[0])>::name);
  rung.run = run;
  mechanism.ladder = {rung};
  return tests::faults_of(*ladder::publish(mechanism)).front();
}

/// The right answer by another rung, but for one output in `every`, from the last on, which lacks a part of its size.
template <int every>
void partly_wrong(const ConvolutionProblem& p, ConvolutionOutput& out) {
  convolution_channels_last(p, out);
  float largest = 0;
  for (const float x : out.output) largest = std::max(largest, std::abs(x));
  for (std::size_t last = out.output.size(); last > 0; last -= std::min<std::size_t>(last, every))
    out.output.data()[last - 1] += largest / 1000;
}

/// Tiles of the last row of tiles are left as they were.
void no_last_tiles(const ConvolutionProblem& p, ConvolutionOutput& out) {
  convolution_winograd_4(p, out);
  const Index first = (p.height() - 1) / 4 * 4;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index o = 0; o < p.out_channels(); ++o)
      std::fill(out.plane_of(b, o) + first * p.width(), out.plane_of(b, o) + p.pixels(), 0.F);
}

}  // namespace

TEST_CASE("Winograd: the matrices give the three-tap sums", "[convolution][winograd]") {
  check_matrices<2>();
  check_matrices<4>();
  CHECK(std::abs(winograd_growth<2>() - 5. / 3) < 1e-12);
  CHECK(winograd_growth<4>() > 30);
  CHECK(winograd_growth<4>() < 32);
}

TEST_CASE("Winograd: other kernels are left to others, with a reason", "[convolution][winograd]") {
  CHECK(winograd_unable(sample("kernel=3")).empty());
  CHECK_FALSE(winograd_unable(sample("kernel=3,dilation=2")).empty());
  const auto trial = ladder::make_trial(convolution(), sample("in_channels=3,out_channels=2,height=5,kernel=5"));
  const auto mechanism = convolution_mechanism();
  ladder::ClimbOptions options;
  options.seconds = 0.001;
  for (const char* rung : {"loops", "winograd_2", "winograd_4"}) options.rungs.push_back(mechanism->rung_index(rung));
  machine::Roofs roofs;
  const std::vector<ladder::Measurement> found = ladder::climb(*mechanism, *trial, options, roofs);
  REQUIRE(found.size() == 3);
  CHECK(found[0].status == ladder::Status::ok);
  for (const std::size_t i : {1, 2}) {
    CHECK(found[i].status == ladder::Status::skipped);
    CHECK(found[i].variant);
    CHECK(found[i].reason.find("3 × 3") != std::string::npos);
  }
}

TEST_CASE("Winograd: a pixel that is no number spoils its tiles and nothing else", "[convolution][winograd]") {
  ConvolutionProblem p = sample("in_channels=2,out_channels=3,height=17,width=21,kernel=3");
  ConvolutionOutput right;
  convolution_channels_last(p, right);
  p.input(0, 1, 9, 10) = std::numeric_limits<float>::quiet_NaN();
  const auto check = [&](auto run, Index tile) {
    ConvolutionOutput out;
    run(p, out);
    for (Index o = 0; o < 3; ++o)
      for (Index y = 0; y < 17; ++y)
        for (Index x = 0; x < 21; ++x) {
          const float found = out.plane_of(0, o)[y * 21 + x];
          const auto sees = [tile](Index at, Index pixel) {
            return at / tile * tile <= pixel + 1 && pixel - 1 < at / tile * tile + tile;
          };
          if (std::abs(y - 9) <= 1 && std::abs(x - 10) <= 1)
            REQUIRE(std::isnan(found));
          else if (!(sees(y, 9) && sees(x, 10)))
            REQUIRE(std::abs(found - right.plane_of(0, o)[y * 21 + x]) < 1e-4F);
        }
  };
  check(convolution_winograd_2, 2);
  check(convolution_winograd_4, 4);
}

TEST_CASE("Winograd: its wider bound still catches what is wrong", "[convolution][winograd][broken]") {
  CHECK(fault_in_place_of("winograd_2", convolution_channels_last) == "");
  CHECK(fault_in_place_of("winograd_4", convolution_channels_last) == "");
  CHECK_FALSE(fault_in_place_of("winograd_2", partly_wrong<1000>).empty());
  CHECK_FALSE(fault_in_place_of("winograd_4", partly_wrong<1000>).empty());
  CHECK_FALSE(fault_in_place_of("winograd_4", no_last_tiles).empty());
}
