#pragma once

#include <vector>

#include "additive.hpp"
#include "loaders/series.hpp"

namespace attention::additive {

/// The series cut into blocks of 13 weeks, a quarter of a year: of every five blocks one is for the test, one for choosing
/// parameters, three are known. A quadratic curve through the known weeks is taken off.
struct Weeks {
  std::vector<std::size_t> known;   ///< positions in the series
  std::vector<std::size_t> chosen;  ///< for choosing parameters
  std::vector<std::size_t> test;
  std::vector<double> residual;     ///< value less the curve, for all positions
};
Weeks split_weeks(const datasets::WeeklySeries& series);

/// A week as a vector of 4: time in units of four years, from the middle of the series; cosine and sine of the season; and 1,
/// which gives the hidden units their thresholds.
inline constexpr Index features = 4;
Tensor<2> week_rows(const datasets::WeeklySeries& series, const std::vector<std::size_t>& positions);

/// residual of these weeks as a column: [positions, 1].
Tensor<2> residual_rows(const Weeks& weeks, const std::vector<std::size_t>& positions);

/// Additive attention whose six hidden units are set by hand. Two units make a bump over the difference Δ of one entry of query
/// and key, tanh(4 (Δ + 1/2)) − tanh(4 (Δ − 1/2)): high where |Δ| < 1/2, nearly 0 beyond 1. The three bumps (time, cosine, sine)
/// are added, `gain` times.
void set_by_hand(Problem& problem, float gain);

/// W, U and v drawn at random, with `hidden` units, as a network has them before it learns.
void set_at_random(Problem& problem, Index hidden, std::uint64_t seed);

}  // namespace attention::additive
