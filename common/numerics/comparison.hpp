#pragma once

#include <span>

namespace attention::numerics {

/// How far float32 values are from a float64 reference.
struct Comparison {
  double largest_error = 0;      ///< largest |value − reference| where the reference is finite
  double largest_reference = 0;  ///< largest finite |reference|
  std::size_t compared = 0;
  std::size_t misfits = 0;  ///< places where one side is finite and the other is not

  /// largest_error as a share of largest_reference (or of 1 where the reference is zero throughout).
  double relative() const { return largest_error / (largest_reference > 0 ? largest_reference : 1); }
  /// Takes in another part of the same array.
  void add(const Comparison& part);
};

/// Compares element by element. Where the reference is NaN or infinite the value must not be finite either: which of the
/// two it is may differ, since a weight that is tiny in float64 is 0 in float32, and 0 · inf is NaN.
Comparison compare(std::span<const float> values, std::span<const double> reference);

}  // namespace attention::numerics
