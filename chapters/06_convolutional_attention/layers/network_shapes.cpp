// What a network does with shapes: it asks for one, takes a part of it, puts another together.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "layers/network_operators.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

namespace {

using program::UserError;

/// Whole numbers in a row.
const Value& row_of(const Value* value) {
  if (!value->whole || value->rank() != 1) throw UserError("expected whole numbers in one dimension; others are not known here");
  return *value;
}

Value row(std::vector<std::int64_t> numbers) { return {{std::ssize(numbers)}, true, {}, std::move(numbers)}; }

}  // namespace

Value run_shape(Inputs inputs, const NodeAttributes&) { return row({inputs[0]->shape.begin(), inputs[0]->shape.end()}); }

Value run_cast(Inputs inputs, const NodeAttributes& attributes) {
  const Index to = attributes.integer("to", 0);
  // Both kinds of whole numbers are kept in 64 bits.
  if (!inputs[0]->whole || (to != 6 && to != 7)) throw UserError(fmt::format("a cast to type {}; whole numbers to int32 (6) and int64 (7) are known here", to));
  return *inputs[0];
}

Value run_slice(Inputs inputs, const NodeAttributes& attributes) {
  const Value& x = row_of(inputs[0]);
  const std::vector<Index> axes = attributes.integers("axes");
  const std::vector<Index> starts = attributes.integers("starts");
  const std::vector<Index> ends = attributes.integers("ends");
  if (starts.size() != 1 || ends.size() != 1 || (!axes.empty() && axes != std::vector<Index>{0})) throw UserError("a slice along axis 0 alone is known here");
  // From the end where negative.
  const auto place = [&](Index at) { return std::clamp<Index>(at < 0 ? at + x.size() : at, 0, x.size()); };
  const Index from = place(starts[0]);
  const Index to = std::max(place(ends[0]), from);
  return row({x.integers.begin() + from, x.integers.begin() + to});
}

Value run_concat(Inputs inputs, const NodeAttributes& attributes) {
  if (attributes.integer("axis", 0) != 0) throw UserError("rows of numbers are put together along axis 0");
  std::vector<std::int64_t> numbers;
  for (const Value* input : inputs) {
    if (!input) continue;
    const Value& x = row_of(input);
    numbers.insert(numbers.end(), x.integers.begin(), x.integers.end());
  }
  return row(std::move(numbers));
}

Value run_reshape(Inputs inputs, const NodeAttributes&) {
  Value y = *inputs[0];
  std::vector<Index> shape(row_of(inputs[1]).integers.begin(), row_of(inputs[1]).integers.end());
  const auto refuse = [&] { throw UserError(fmt::format("a value of shape ({}) cannot take the shape ({})", fmt::join(y.shape, ", "), fmt::join(row_of(inputs[1]).integers, ", "))); };
  Index known = 1;
  Index* open = nullptr;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0) {  // as it was
      if (axis >= y.shape.size()) refuse();
      shape[axis] = y.shape[axis];
    }
    if (shape[axis] == -1 && !open) {
      open = &shape[axis];
      continue;
    }
    if (shape[axis] < 0 || (shape[axis] > 0 && known > std::max<Index>(y.size(), 1) / shape[axis])) refuse();
    known *= shape[axis];
  }
  if (open) {
    if (known == 0) refuse();
    *open = y.size() / known;
    known *= *open;
  }
  if (known != y.size()) refuse();
  y.shape = std::move(shape);
  return y;
}

}  // namespace attention::convolutional
