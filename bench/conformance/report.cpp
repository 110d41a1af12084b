#include "conformance/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "program/text.hpp"
#include "simd/storage.hpp"

namespace attention::conformance {

namespace {

/// [0, 1, 2]
std::string place(std::size_t at, const Shape& shape) {
  std::string text;
  auto rest = static_cast<Index>(at);
  for (auto length = shape.rbegin(); length != shape.rend(); ++length) {
    text = fmt::format("{}{}{}", rest % *length, text.empty() ? "" : ", ", text);
    rest /= *length;
  }
  return "[" + text + "]";
}

}  // namespace

Difference compare(std::span<const float> found, std::span<const float> expected, Tolerance tolerance) {
  if (found.size() != expected.size()) throw std::logic_error(fmt::format("{} numbers beside {}", found.size(), expected.size()));
  Difference worst;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto x = static_cast<double>(found[i]);
    const auto y = static_cast<double>(expected[i]);
    double error = 0;
    double share = 0;
    if (std::isfinite(x) && std::isfinite(y)) {
      error = std::abs(x - y);
      share = error / (tolerance.absolute + tolerance.relative * std::abs(y));
    } else if (!(x == y || (std::isnan(x) && std::isnan(y)))) {
      error = share = std::numeric_limits<double>::infinity();
    }
    worst.error = std::max(worst.error, error);
    if (share > worst.share) worst.share = share, worst.at = i;
  }
  return worst;
}

void Report::check(const std::string& rung, const CaseTensor& expected, std::span<const float> found, double rounding) {
  if (std::ranges::find(rungs_, rung) == rungs_.end()) rungs_.push_back(rung);
  const std::vector<float> wanted = expected.as_float();
  std::vector<float> rounded(found.begin(), found.end());
  if (expected.is_half())
    for (float& x : rounded) x = simd::widen(simd::to_float16(x));

  Tolerance tolerance = expected.is_half() ? half : official;
  tolerance.absolute += rounding;
  const Difference difference = compare(rounded, wanted, tolerance);
  error_ = std::max(error_, difference.error);
  std::optional<double>& share = expected.is_half() ? half_share_ : aim_share_;
  share = std::max(share.value_or(0), expected.is_half() ? difference.share : compare(rounded, wanted, aim).share);
  if (difference.share <= worst_) return;
  worst_ = difference.share;
  fault_ = fmt::format("{}{} is {:.7g}, expected {:.7g} (rung {})", program::one_line(expected.name(), 60),
                       place(difference.at, expected.shape()), rounded[difference.at], wanted[difference.at], rung);
}

void Report::check_equal(const std::string& rung, const CaseTensor& expected, std::span<const std::int64_t> found) {
  if (std::ranges::find(rungs_, rung) == rungs_.end()) rungs_.push_back(rung);
  const std::vector<Index> wanted = expected.as_index();
  if (found.size() != wanted.size()) throw std::logic_error(fmt::format("{} numbers beside {}", found.size(), wanted.size()));
  const auto [ours, theirs] = std::ranges::mismatch(found, wanted);
  if (ours == found.end()) return;
  error_ = worst_ = std::numeric_limits<double>::infinity();
  fault_ = fmt::format("{}{} is {}, expected {} (rung {})", program::one_line(expected.name(), 60),
                       place(static_cast<std::size_t>(ours - found.begin()), expected.shape()), *ours, *theirs, rung);
}

}  // namespace attention::conformance
