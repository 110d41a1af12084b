#include "numerics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace attention::numerics {

namespace {

/// The value below which the share `q` of the sorted values lies, interpolated.
double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<double> sorted_copy(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("statistics: no values");
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return sorted;
}

}  // namespace

double median(std::span<const double> values) { return quantile(sorted_copy(values), 0.5); }

double spread(std::span<const double> values) {
  const std::vector<double> sorted = sorted_copy(values);
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2;
}

PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 2) throw std::invalid_argument("fit_power_law: needs two points or more");
  const double n = static_cast<double>(x.size());
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / n;
    mean_y += std::log(y[i]) / n;
  }
  double xx = 0;
  double xy = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = std::log(x[i]) - mean_x;
    const double dy = std::log(y[i]) - mean_y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const double exponent = xy / xx;
  return {exponent, std::exp(mean_y - exponent * mean_x), yy > 0 ? exponent * xy / yy : 1};
}

double binomial_interval(double share, std::size_t count) { return 1.96 * std::sqrt(share * (1 - share) / static_cast<double>(count)); }

double mean_interval(std::span<const double> values) {
  constexpr double t[] = {12.706, 4.303, 3.182, 2.776};  // 0.975 quantiles of 1 to 4 degrees of freedom
  if (values.size() < 2 || values.size() > 5) return NAN;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return t[values.size() - 2] * std::sqrt(squares / (n - 1) / n);
}

}  // namespace attention::numerics
