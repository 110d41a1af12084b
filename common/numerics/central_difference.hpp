#pragma once

#include <cmath>
#include <limits>

namespace attention::numerics {

/// A derivative by central differences, and how far it may be off.
struct Difference {
  double derivative;
  double uncertainty;
};

/// The derivative of f at x, f in float64 and smooth within ±h of x: two central differences whose error falls with the step's square
/// give a better one (Richardson 1911). Its error is far less than the step from one to the other. `size` bounds the numbers that
/// f's roundings are in proportion to. A function with kinks, such as a net of relu, asks for a small h, within which there is hardly one.
template <class F>
Difference central_difference(F f, double x, double size, double h = 0x1p-10) {
  const auto slope = [&](double step) { return (f(x + step) - f(x - step)) / (2 * step); };
  const double coarse = slope(h);
  const double fine = slope(h / 2);
  return {(4 * fine - coarse) / 3, std::abs(coarse - fine) + 100 * std::numeric_limits<double>::epsilon() * size / h};
}

}  // namespace attention::numerics
