#pragma once

#include <cstddef>
#include <span>

namespace attention::numerics {

/// The middle of the values (the mean of the two middle ones where their number is even). At least one value.
double median(std::span<const double> values);

/// Half the distance between the quartiles: how far a typical value is from the median. 0 for a single value.
double spread(std::span<const double> values);

/// y = factor · x^exponent, fitted by least squares in the logarithms.
struct PowerLaw {
  double exponent = 0;
  double factor = 0;
  double r_squared = 0;  ///< share of the variance of log y that the law explains
};

/// Fits a power law through at least two points with positive coordinates and different x.
PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y);

/// Half of the interval in which the share that would be found on all things of a kind lies with 95 %, from a share of `count` of them:
/// the normal approximation of the binomial distribution.
double binomial_interval(double share, std::size_t count);

/// Half of the 95 % interval of the mean of 2 to 5 values: Student's t (Student 1908). NaN for fewer or more.
double mean_interval(std::span<const double> values);

}  // namespace attention::numerics
