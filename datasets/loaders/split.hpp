#pragma once

#include <string_view>

#include "numerics/hash.hpp"

namespace attention::datasets {

/// What an example is for.
enum class Part { training, validation, test };

/// Shares of all examples; the rest is for training.
struct Shares {
  double validation = 0.05;
  double test = 0.05;
};

/// The part of the example that `key` names, by the hash of the key alone: the same on every machine, whatever the order of the
/// examples and whatever else is there, and equal keys are never in two parts.
inline Part part_of(std::string_view key, const Shares& shares) {
  const double place = static_cast<double>(numerics::hash_of(key) >> 11U) * 0x1p-53;
  if (place < shares.test) return Part::test;
  return place < shares.test + shares.validation ? Part::validation : Part::training;
}

}  // namespace attention::datasets
