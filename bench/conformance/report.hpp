#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conformance/case.hpp"

namespace attention::conformance {

/// found and expected agree where |found − expected| <= absolute + relative · |expected|.
struct Tolerance {
  double relative;
  double absolute;
};

/// The standard's own for float32: it decides.
inline constexpr Tolerance official{1e-3, 1e-7};
/// What we aim at in float32: it is shown.
inline constexpr Tolerance aim{1e-5, 1e-6};
/// For float16, whose roundoff is 2^-11. Ours is computed in float32 and rounded once, at the end; an expected number may have
/// been computed in float16 and rounded after the scaling of Q and of K, their product, the softmax and the product with V. Six
/// roundings, taken as 8 · 2^-11: relative, and, since sums cancel, absolute beside numbers near 1.
inline constexpr Tolerance half{0x1p-8, 0x1p-8};

/// How far two rows of numbers are apart. NaN equals NaN, an infinity itself; any other pair with one of them is infinitely far.
struct Difference {
  double error = 0;    ///< largest |found − expected|
  double share = 0;    ///< largest |found − expected| / (absolute + relative · |expected|): agrees up to 1
  std::size_t at = 0;  ///< where that is
};
Difference compare(std::span<const float> found, std::span<const float> expected, Tolerance tolerance);

/// What the rungs of an operator made of a case: holds each answer against the expected one.
class Report {
 public:
  /// Compares an answer of `rung` with the expected tensor; float16 is compared after rounding. `rounding`: what sums in float32
  /// may be off by in this case, absolute; it is allowed beside the tolerance, which is finer where large terms cancel. Throws
  /// std::logic_error where the answer has not as many numbers.
  void check(const std::string& rung, const CaseTensor& expected, std::span<const float> found, double rounding = 0);

  /// The same for places and other whole numbers of an int64 tensor, which must be equal.
  void check_equal(const std::string& rung, const CaseTensor& expected, std::span<const std::int64_t> found);

  bool passed() const { return fault_.empty(); }
  /// The worst disagreement: rung, tensor, place, found and expected. Empty where all agree.
  const std::string& fault() const { return fault_; }
  /// In the order in which they ran.
  const std::vector<std::string>& rungs() const { return rungs_; }
  double error() const { return error_; }
  /// The worst share of our aim, over the float32 answers; none where there are none.
  const std::optional<double>& aim_share() const { return aim_share_; }
  /// The worst share of half's tolerance, over the float16 answers; none where there are none.
  const std::optional<double>& half_share() const { return half_share_; }

 private:
  std::vector<std::string> rungs_;
  std::string fault_;
  double worst_ = 1;
  double error_ = 0;
  std::optional<double> aim_share_, half_share_;
};

}  // namespace attention::conformance
