#include "ladder/field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "numerics/comparison.hpp"

namespace attention::ladder {

namespace {

numerics::Comparison compare_field(const Field& field, const ReferenceField& reference, std::span<const Index> rows) {
  const auto size = static_cast<std::size_t>(reference.row_size);
  numerics::Comparison all;
  for (Index group = 0; group < reference.groups; ++group)
    for (Index r = 0; r < reference.rows; ++r) {
      const Index row = rows.empty() ? r : rows[static_cast<std::size_t>(r)];
      all.add(numerics::compare(field.values.subspan(static_cast<std::size_t>(group * field.rows + row) * size, size),
                                reference.values.subspan(static_cast<std::size_t>(group * reference.rows + r) * size, size)));
    }
  return all;
}

}  // namespace

CheckResult compare_fields(const std::vector<Field>& answer, const std::vector<ReferenceField>& reference,
                           std::span<const Index> rows) {
  CheckResult result;
  result.passed = true;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const Field& field = answer.at(i);
    const ReferenceField& wanted = reference[i];
    if (field.values.empty()) {
      if (i == 0) {
        result.passed = false;
        result.fault = fmt::format("{} was not computed", field.name);
      }
      continue;
    }
    if (field.name != wanted.name || field.groups != wanted.groups || field.row_size != wanted.row_size)
      throw std::logic_error(fmt::format("field {} of the answer and {} of the reference differ in form", field.name, wanted.name));
    const numerics::Comparison found = compare_field(field, wanted, rows);
    if (i == 0) {
      // The largest value of all rows, the unchecked ones too.
      double largest = found.largest_reference;
      for (const float value : field.values)
        if (std::isfinite(value)) largest = std::max(largest, std::abs(static_cast<double>(value)));
      const double unit = largest > 0 ? largest : 1;
      result.max_error = found.largest_error / unit;
      result.bound = wanted.bound / unit;
      result.checked_rows = wanted.groups * wanted.rows;
    }
    // Written so that a NaN error fails.
    if (!(found.largest_error <= wanted.bound) || found.misfits > 0) {
      result.passed = false;
      if (result.fault.empty())
        result.fault = found.misfits > 0
                           ? fmt::format("{}: {} of {} values are NaN or infinite where the reference is not, or the other way round",
                                         field.name, found.misfits, found.compared)
                           : fmt::format("{}: error {:.2g}, allowed {:.2g}", field.name, found.largest_error, wanted.bound);
    }
  }
  return result;
}

std::optional<CheckResult> put_in_place_of_first(std::span<const float> values, std::vector<Field>& fields) {
  if (fields.at(0).values.size() != values.size())
    return CheckResult{.fault = fmt::format("{}: {} values, {} were expected", fields[0].name, values.size(), fields[0].values.size())};
  for (Field& field : fields) field.values = {};
  fields[0].values = values;
  return std::nullopt;
}

void spoil_fields(const std::vector<Field>& fields) {
  for (const Field& field : fields)
    // The answer is ours; Field shows it read-only because others only look.
    std::ranges::fill_n(const_cast<float*>(field.values.data()), std::ssize(field.values), std::numeric_limits<float>::quiet_NaN());
}

}  // namespace attention::ladder
