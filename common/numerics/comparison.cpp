#include "numerics/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace attention::numerics {

void Comparison::add(const Comparison& part) {
  largest_error = std::max(largest_error, part.largest_error);
  largest_reference = std::max(largest_reference, part.largest_reference);
  compared += part.compared;
  misfits += part.misfits;
}

Comparison compare(std::span<const float> values, std::span<const double> reference) {
  if (values.size() != reference.size()) throw std::invalid_argument("compare: the arrays differ in size");
  Comparison result;
  result.compared = values.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = static_cast<double>(values[i]);
    if (std::isfinite(value) != std::isfinite(reference[i])) {
      ++result.misfits;
    } else if (std::isfinite(value)) {
      result.largest_error = std::max(result.largest_error, std::abs(value - reference[i]));
      result.largest_reference = std::max(result.largest_reference, std::abs(reference[i]));
    }
  }
  return result;
}

}  // namespace attention::numerics
