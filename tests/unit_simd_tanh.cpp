#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "sanitized.hpp"
#include "simd/tanh.hpp"

using namespace attention;

namespace {

float lane_of_tanh(float x) { return simd::tanh(simd::broadcast(x))[simd::lanes - 1]; }

/// The distance from a float of this size to the next.
double unit_of(double x) {
  const auto size = static_cast<float>(std::abs(x));
  return static_cast<double>(std::nextafter(size, 2.F)) - static_cast<double>(size);
}

}  // namespace

TEST_CASE("tanh is within 3.5 units in the last place over its whole range", "[unit]") {
  // All normal floats of both signs in equal steps of their representation: every size of x is met.
  const std::uint32_t step = tests::sanitized ? 100'003 : 997;
  double worst = 0;
  float worst_x = 0;
  for (std::uint32_t bits = 0x0080'0000; bits < 0x7F80'0000; bits += step * simd::lanes) {
    simd::Float x;
    for (int i = 0; i < simd::lanes; ++i)
      x[i] = std::bit_cast<float>(std::min<std::uint32_t>(bits + static_cast<std::uint32_t>(i) * step, 0x7F7F'FFFF));
    const simd::Float t = simd::tanh(x);
    const simd::Float mirrored = simd::tanh(-x);
    for (int i = 0; i < simd::lanes; ++i) {
      const double exact = std::tanh(static_cast<double>(x[i]));
      const double error = std::abs(static_cast<double>(t[i]) - exact) / unit_of(exact);
      if (!(error <= worst)) {
        worst = error;
        worst_x = x[i];
      }
      REQUIRE(mirrored[i] == -t[i]);
    }
  }
  INFO("at " << worst_x);
  CHECK(worst < 3.5);
}

TEST_CASE("tanh of denormal numbers is within 2 of their units", "[unit]") {
  for (std::uint32_t bits = 1; bits < 0x0080'0000; bits += 9973) {
    const auto x = std::bit_cast<float>(bits);
    REQUIRE(std::abs(static_cast<double>(lane_of_tanh(x)) - static_cast<double>(x)) <= 2 * 0x1p-149);
  }
}

TEST_CASE("tanh at the ends", "[unit]") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  CHECK(lane_of_tanh(0) == 0);
  CHECK_FALSE(std::signbit(lane_of_tanh(0)));
  CHECK(std::signbit(lane_of_tanh(-0.F)));
  for (const float x : {10.F, 45.F, 89.F, 1e30F, inf}) {
    CHECK(lane_of_tanh(x) == 1);
    CHECK(lane_of_tanh(-x) == -1);
  }
  CHECK(std::isnan(lane_of_tanh(std::numeric_limits<float>::quiet_NaN())));
  // Never beyond 1, and rising up to it.
  float last = 0;
  for (float x = 0; x < 12; x += 0.01F) {
    const float t = lane_of_tanh(x);
    REQUIRE(t <= 1);
    REQUIRE(t >= last);
    last = t;
  }
}
