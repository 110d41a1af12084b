#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::ladder {

using tensor::Index;

/// One float32 array of an answer: [groups, rows, row_size], row-major. An array without rows of its own has rows = 1.
struct Field {
  std::string name;
  std::vector<std::size_t> shape;  ///< as the reader knows it
  Index groups = 1;
  Index rows = 1;
  Index row_size = 1;
  std::span<const float> values;  ///< empty where the rung does not give this array
};

/// The same array of the reference, with the largest difference that rounding alone explains.
struct ReferenceField {
  std::string name;
  std::vector<std::size_t> shape;
  Index groups = 1;
  Index rows = 1;
  Index row_size = 1;
  std::span<const double> values;
  double bound = 0;  ///< absolute
};

/// A tensor of a problem by name.
struct NamedTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::span<const float> values;
};

/// What came of a check.
struct CheckResult {
  bool passed = false;
  double max_error = 0;   ///< of the principal array, relative to its largest value
  double bound = 0;       ///< what was allowed, likewise
  Index checked_rows = 0;
  std::string fault;      ///< one line where it failed
};

/// Compares the arrays that the answer holds with the reference's. `rows` are the answer's rows that the reference
/// holds, in its order; where empty, both hold the same rows.
CheckResult compare_fields(const std::vector<Field>& answer, const std::vector<ReferenceField>& reference,
                           std::span<const Index> rows);

/// Takes `values` for the principal array's, and the others as not given. Where there are not as many as expected, nothing is
/// taken, and the fault is returned.
std::optional<CheckResult> put_in_place_of_first(std::span<const float> values, std::vector<Field>& fields);

/// Overwrites an answer of ours with NaN.
void spoil_fields(const std::vector<Field>& fields);

}  // namespace attention::ladder
