#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "numerics/comparison.hpp"
#include "numerics/random.hpp"
#include "numerics/statistics.hpp"

using namespace attention::numerics;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

TEST_CASE("median and spread", "[unit]") {
  CHECK(median(std::vector{3.0}) == 3);
  CHECK(median(std::vector{4.0, 1.0, 2.0}) == 2);
  CHECK(median(std::vector{4.0, 1.0, 2.0, 3.0}) == 2.5);
  CHECK(spread(std::vector{7.0}) == 0);
  CHECK(spread(std::vector{1.0, 2.0, 3.0, 4.0, 5.0}) == 1);
  CHECK_THROWS(median(std::vector<double>{}));
}

TEST_CASE("a power law is found again", "[unit]") {
  std::vector<double> x;
  std::vector<double> y;
  for (double n = 64; n <= 4096; n *= 2) {
    x.push_back(n);
    y.push_back(3e-9 * std::pow(n, 1.7));
  }
  const PowerLaw law = fit_power_law(x, y);
  CHECK_THAT(law.exponent, WithinRel(1.7, 1e-9));
  CHECK_THAT(law.factor, WithinRel(3e-9, 1e-6));
  CHECK_THAT(law.r_squared, WithinAbs(1, 1e-9));
  CHECK_THROWS(fit_power_law(std::vector{1.0}, std::vector{1.0}));
}

TEST_CASE("a comparison sees errors and misfits", "[unit]") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr double inf = std::numeric_limits<double>::infinity();
  const Comparison exact = compare(std::vector{1.F, -2.F}, std::vector{1.0, -2.0});
  CHECK(exact.largest_error == 0);
  CHECK(exact.largest_reference == 2);
  CHECK(compare(std::vector{1.5F, -2.F}, std::vector{1.0, -2.0}).relative() == 0.25);
  CHECK(compare(std::vector{nan}, std::vector{1.0}).misfits == 1);
  CHECK(compare(std::vector{1.F}, std::vector{inf}).misfits == 1);
  CHECK(compare(std::vector{nan}, std::vector{inf}).misfits == 0);
  CHECK_THROWS(compare(std::vector{1.F}, std::vector{1.0, 2.0}));
}

TEST_CASE("random numbers are repeatable, centred and of variance 1", "[unit]") {
  Random a(7);
  Random b(7);
  double sum = 0;
  double squares = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const float x = a.normal();
    REQUIRE(x == b.normal());
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  CHECK_THAT(sum / n, WithinAbs(0, 0.02));
  CHECK_THAT(squares / n, WithinAbs(1, 0.02));
  CHECK(Random(1).bits() != Random(2).bits());
}
