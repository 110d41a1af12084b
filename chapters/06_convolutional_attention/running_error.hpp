#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "feature_maps.hpp"
#include "numerics/error_bound.hpp"

/// Running error analysis (Wilkinson 1963; Higham 2002, Accuracy and Stability, section 3.3): the backward references
/// carry beside each number how far a float32 computation of it may be off. To first order, by one rule: what numbers
/// inherit adds up as it is, whatever hangs together with what; only the roundings of a sum's own additions are taken
/// to be independent (sum_error).
namespace attention::convolutional {

/// A number in float64, and how far float32 may be from it.
struct Rounded {
  double value = 0;
  double error = 0;
};

/// A float32 number that is given.
inline Rounded given(float x) { return {static_cast<double>(x), 0}; }

/// One more rounding. Numbers below 2^−126 are rounded to multiples of 2^−149.
inline Rounded rounded(double value, double inherited) {
  return {value, inherited + numerics::unit_roundoff * std::abs(value) +
                     static_cast<double>(std::numeric_limits<float>::denorm_min())};
}

inline Rounded operator*(Rounded a, Rounded b) {
  return rounded(a.value * b.value, std::abs(a.value) * b.error + std::abs(b.value) * a.error + a.error * b.error);
}
inline Rounded operator+(Rounded a, Rounded b) { return rounded(a.value + b.value, a.error + b.error); }
inline Rounded operator-(Rounded a, Rounded b) { return rounded(a.value - b.value, a.error + b.error); }
/// By a number that is exact.
inline Rounded operator/(Rounded a, double by) { return rounded(a.value / by, a.error / by); }

/// A sum of many terms in one chain, which no rung's sum is worse than.
class RoundedSum {
 public:
  void add(Rounded term) {
    sum_.add(term.value);
    inherited_ += term.error;
    ++terms_;
  }
  Rounded total() const { return {sum_.value, inherited_ + sum_.extent() * numerics::sum_error(terms_)}; }

 private:
  WatchedSum sum_;
  double inherited_ = 0;
  double terms_ = 0;
};

/// σ(z). Its slope grows by e^δ at most over a distance δ.
inline Rounded sigmoid(Rounded z) {
  const double s = sigmoid(z.value);
  return {s, sigmoid_error(s * (1 - s), z.error)};
}
/// σ′ at the argument whose sigmoid is `s`: s (1 − s). 1 − s is off by what s is off, which near 1 is a rounding of 1.
inline Rounded sigmoid_slope(Rounded s) {
  const double value = s.value * (1 - s.value);
  return {value,
          s.error * std::abs(1 - 2 * s.value) + s.error * s.error + 2 * numerics::unit_roundoff * std::abs(s.value)};
}

/// max(0, z), and its slope. A unit whose argument is nearer to the kink than float32 can tell may be on either side of
/// it.
inline Rounded relu(Rounded z) { return {relu(z.value), z.error}; }
inline Rounded relu_slope(Rounded z) { return {z.value > 0 ? 1.0 : 0.0, std::abs(z.value) <= z.error ? 1.0 : 0.0}; }

/// Scores become their softmax. An error δ of a weight's logarithm is a relative error of the weight. It comes from the
/// score, from the log-sum-exp, which inherits at most the largest error of the scores that count and rounds, and from
/// the roundings of the difference and of the exponential. Weights below 2^−126 are 0 where the exponential is a vector
/// function.
inline void softmax(Rounded* scores, Index n) {
  constexpr double u = numerics::unit_roundoff;
  double largest = -std::numeric_limits<double>::infinity();
  for (Index i = 0; i < n; ++i) largest = std::max(largest, scores[i].value);
  double total = 0;
  double inherited = 0;
  for (Index i = 0; i < n; ++i) {
    const double share = std::exp(scores[i].value - largest);
    total += share;
    inherited = std::max(inherited, std::sqrt(share) * scores[i].error);
  }
  const double lse = largest + std::log(total);
  for (Index i = 0; i < n; ++i) {
    const double weight = std::exp(scores[i].value - largest) / total;
    const double logarithm = scores[i].error + inherited + numerics::sum_error(static_cast<double>(n)) +
                             u * (4 * std::abs(scores[i].value) + 3 * std::abs(lse) + 8);
    scores[i] = {weight, std::min(1.0, weight * std::expm1(std::min(logarithm, 50.0))) +
                             static_cast<double>(std::numeric_limits<float>::min())};
  }
}

using RoundedNumbers = std::vector<Rounded>;

/// The sum of all rows of [rows × columns]: what the images add to a weight's gradient.
inline RoundedNumbers sums_of_rows(const RoundedNumbers& numbers, Index rows, Index columns) {
  RoundedNumbers sums;
  for (Index c = 0; c < columns; ++c) {
    RoundedSum sum;
    for (Index r = 0; r < rows; ++r) sum.add(numbers[static_cast<std::size_t>(r * columns + c)]);
    sums.push_back(sum.total());
  }
  return sums;
}

/// Values into a tensor of that many; gives the largest finite error.
template <class Tensor>
double into(const RoundedNumbers& numbers, Tensor& to) {
  double largest = 0;
  auto* at = to.data();
  for (const Rounded& x : numbers) {
    *at++ = x.value;
    if (std::isfinite(x.error)) largest = std::max(largest, x.error);
  }
  return largest;
}

}  // namespace attention::convolutional
