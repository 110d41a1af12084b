#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "numerics/random.hpp"
#include "sanitized.hpp"
#include "simd/exp2.hpp"
#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"

using namespace attention;

TEST_CASE("exp2 is within 1.5 units in the last place", "[unit]") {
  const float step = tests::sanitized ? 0.0917F : 0.000917F;
  double worst = 0;
  for (float x = simd::lowest_power; x < 127.4F; x += step) {
    const double exact = std::exp2(static_cast<double>(x));
    const float lane = simd::exp2(simd::broadcast(x))[simd::lanes - 1];
    worst = std::max(worst, std::abs(static_cast<double>(lane) - exact) / exact);
  }
  CHECK(worst < 1.5 * 0x1p-23);
}

TEST_CASE("exp2 at the ends", "[unit]") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const auto exp2 = [](float x) { return simd::exp2(simd::broadcast(x))[0]; };
  CHECK(exp2(0) == 1);
  CHECK(exp2(-0.F) == 1);
  CHECK(exp2(1) == 2);
  CHECK(exp2(simd::lowest_power) == 0x1p-100F);
  CHECK(exp2(std::nextafter(simd::lowest_power, -inf)) == 0);
  for (float x = -127; x > -150; x -= 0.37F) CHECK(exp2(x) == 0);  // where the subnormal numbers are
  CHECK(exp2(-200) == 0);
  CHECK(exp2(-1e30F) == 0);
  CHECK(exp2(-inf) == 0);
  CHECK(std::isnan(exp2(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("sum and maximum over the lanes", "[unit]") {
  simd::Float v;
  float expected = 0;
  for (int i = 0; i < simd::lanes; ++i) {
    v[i] = static_cast<float>(i + 1);
    expected += static_cast<float>(i + 1);
  }
  CHECK(simd::sum(v) == expected);
  CHECK(simd::maximum(v) == static_cast<float>(simd::lanes));
  CHECK(simd::maximum(-v) == -1);
}

TEST_CASE("a transposed matrix of any size", "[unit]") {
  for (const std::ptrdiff_t rows : {1, 3, 15, 16, 17, 33})
    for (const std::ptrdiff_t columns : {1, 5, 16, 31, 40}) {
      std::vector<float> from(static_cast<std::size_t>(rows * columns));
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i);
      const std::ptrdiff_t stride = rows + 2;
      std::vector<float> to(static_cast<std::size_t>(columns * stride), -1.F);
      simd::transpose(from.data(), columns, rows, columns, to.data(), stride);
      for (std::ptrdiff_t i = 0; i < rows; ++i)
        for (std::ptrdiff_t j = 0; j < columns; ++j)
          REQUIRE(to[static_cast<std::size_t>(j * stride + i)] == from[static_cast<std::size_t>(i * columns + j)]);
      // Nothing beyond the rows is touched.
      for (std::ptrdiff_t j = 0; j < columns; ++j) REQUIRE(to[static_cast<std::size_t>(j * stride + rows)] == -1.F);
    }
}

TEST_CASE("the micro-kernel multiplies, for every number of rows and depth", "[unit]") {
  numerics::Random random(3);
  for (std::ptrdiff_t rows = 1; rows <= simd::tile_rows; ++rows)
    for (const std::ptrdiff_t depth : {1, 2, 15, 16, 17, 100, 784}) {
      const auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
      std::vector<float> a(size(rows * depth));
      std::vector<float> b(size(depth * simd::panel_columns));
      std::vector<float> c(size(rows * simd::panel_columns));
      for (float& x : a) x = random.normal();
      for (float& x : b) x = random.normal();
      simd::multiply_strip_pairwise(rows, depth, 16, a.data(), depth, b.data(), simd::panel_columns, c.data(),
                                     simd::panel_columns);
      double worst = 0;
      double worst_sum = 0;
      std::vector<float> twice = c;
      simd::multiply_strip<simd::Into::add>(rows, depth, 64, a.data(), depth, b.data(), simd::panel_columns, twice.data(),
                                            simd::panel_columns);
      for (std::ptrdiff_t i = 0; i < rows; ++i)
        for (std::ptrdiff_t j = 0; j < simd::panel_columns; ++j) {
          double sum = 0;
          for (std::ptrdiff_t k = 0; k < depth; ++k)
            sum += static_cast<double>(a[size(i * depth + k)]) * static_cast<double>(b[size(k * simd::panel_columns + j)]);
          const std::size_t at = size(i * simd::panel_columns + j);
          worst = std::max(worst, std::abs(static_cast<double>(c[at]) - sum));
          worst_sum = std::max(worst_sum, std::abs(static_cast<double>(twice[at]) - 2 * sum));
        }
      CHECK(worst < 4e-7 * std::sqrt(static_cast<double>(depth)) * 4);
      CHECK(worst_sum < 4e-7 * static_cast<double>(depth + 4));
    }
}
