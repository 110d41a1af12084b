#include "numerics/rank_correlation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "program/error.hpp"

namespace attention::numerics {

namespace {

void check(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw std::invalid_argument("a rank correlation is of two lists of the same length");
  for (const std::span<const double> list : {a, b})
    for (std::size_t i = 0; i < list.size(); ++i)
      if (std::isnan(list[i]))
        throw program::UserError(
            fmt::format("rank correlation: value {} of {} is not a number", i + 1, list.size()));
}

int order(double x, double y) { return x < y ? -1 : x > y ? 1 : 0; }

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> at(values.size());
  std::iota(at.begin(), at.end(), std::size_t{0});
  std::ranges::sort(at, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < at.size();) {
    std::size_t last = first;
    while (last < at.size() && values[at[last]] == values[at[first]]) ++last;
    for (std::size_t i = first; i < last; ++i) result[at[i]] = static_cast<double>(first + 1 + last) / 2;
    first = last;
  }
  return result;
}

}  // namespace

std::optional<double> kendall_tau(std::span<const double> a, std::span<const double> b) {
  check(a, b);
  double both = 0, in_a = 0, in_b = 0;  // agreement, and the pairs that each list does not tie
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const int of_a = order(a[i], a[j]), of_b = order(b[i], b[j]);
      both += of_a * of_b;
      in_a += of_a * of_a;
      in_b += of_b * of_b;
    }
  if (in_a == 0 || in_b == 0) return std::nullopt;
  return both / std::sqrt(in_a * in_b);
}

std::optional<double> spearman_rho(std::span<const double> a, std::span<const double> b) {
  check(a, b);
  const std::vector<double> of_a = ranks(a), of_b = ranks(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double product = 0, square_a = 0, square_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += (of_a[i] - mean) * (of_b[i] - mean);
    square_a += (of_a[i] - mean) * (of_a[i] - mean);
    square_b += (of_b[i] - mean) * (of_b[i] - mean);
  }
  if (square_a == 0 || square_b == 0) return std::nullopt;
  return product / std::sqrt(square_a * square_b);
}

}  // namespace attention::numerics
