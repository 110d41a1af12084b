#pragma once

#include <cmath>

#include "catch.hpp"
#include "numerics/central_difference.hpp"

namespace attention::tests {

/// |gradient − central difference| of one number that `loss` depends on, as a share of what the differences leave open: up to 1 the
/// gradient is right. `size` bounds the numbers that the loss's roundings are in proportion to. What is left open must be below `most`,
/// else the test would say nothing. `step` is that of the differences.
template <class Loss>
double gradient_share(double& number, double gradient, Loss loss, double size, double most = 1e-4, double step = 0x1p-10) {
  const double at = number;
  const numerics::Difference found = numerics::central_difference(
      [&](double x) {
        number = x;
        const double value = loss();
        number = at;
        return value;
      },
      at, size, step);
  REQUIRE(found.uncertainty < most);
  return std::abs(found.derivative - gradient) / found.uncertainty;
}

}  // namespace attention::tests
