// A network's arithmetic: number by number, with broadcasting; one product; the softmax at its end.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/network_operators.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

namespace {

using program::UserError;

void require_floats(const Value& value) {
  if (value.whole) throw UserError("expected floats, found whole numbers");
}

template <class Function>
Value each(const Value& x, Function function) {
  require_floats(x);
  Value y = x;
  for (float& number : y.floats) number = function(number);
  return y;
}

/// The shape that both are spread to: equal lengths from the right, or 1 in one of them.
std::vector<Index> common_shape(const Value& a, const Value& b) {
  std::vector<Index> shape(std::max(a.shape.size(), b.shape.size()));
  for (std::size_t back = 1; back <= shape.size(); ++back) {
    const Index of_a = back > a.shape.size() ? 1 : a.shape[a.shape.size() - back];
    const Index of_b = back > b.shape.size() ? 1 : b.shape[b.shape.size() - back];
    if (of_a != of_b && of_a != 1 && of_b != 1)
      throw UserError(fmt::format("shapes ({}) and ({}) do not go together", fmt::join(a.shape, ", "), fmt::join(b.shape, ", ")));
    shape[shape.size() - back] = of_a == 1 ? of_b : of_a;
  }
  return shape;
}

/// Numbers to step in `value` for a step along each axis of `shape`: 0 where it is spread.
std::vector<Index> steps_in(const Value& value, const std::vector<Index>& shape) {
  std::vector<Index> steps(shape.size(), 0);
  Index step = 1;
  for (std::size_t back = 1; back <= value.shape.size(); ++back) {
    const Index length = value.shape[value.shape.size() - back];
    if (length != 1) steps[shape.size() - back] = step;
    step *= length;
  }
  return steps;
}

template <class Function>
Value pairs(Inputs inputs, Function function) {
  const Value& a = *inputs[0];
  const Value& b = *inputs[1];
  require_floats(a), require_floats(b);
  Value y;
  y.shape = common_shape(a, b);
  const Index size = checked_size(y.shape, "a value");
  if (size > std::max(a.size(), b.size())) throw UserError("two values that are both spread: not known here");
  y.floats.resize(static_cast<std::size_t>(size));
  const std::vector<Index> in_a = steps_in(a, y.shape);
  const std::vector<Index> in_b = steps_in(b, y.shape);
  // The last axis runs in a plain loop; the others are counted as an odometer.
  const Index width = y.shape.empty() ? 1 : y.shape.back();
  const Index step_a = y.shape.empty() ? 0 : in_a.back();
  const Index step_b = y.shape.empty() ? 0 : in_b.back();
  std::vector<Index> place(y.shape.size(), 0);
  const float* from_a = a.floats.data();
  const float* from_b = b.floats.data();
  for (Index at = 0; at < size; at += width) {
    for (Index i = 0; i < width; ++i) y.floats[static_cast<std::size_t>(at + i)] = function(from_a[i * step_a], from_b[i * step_b]);
    for (std::size_t axis = y.shape.size() < 2 ? 0 : y.shape.size() - 1; axis-- > 0;) {
      from_a += in_a[axis], from_b += in_b[axis];
      if (++place[axis] < y.shape[axis]) break;
      from_a -= in_a[axis] * place[axis], from_b -= in_b[axis] * place[axis];
      place[axis] = 0;
    }
  }
  return y;
}

}  // namespace

Value run_add(Inputs inputs, const NodeAttributes&) { return pairs(inputs, [](float a, float b) { return a + b; }); }
Value run_multiply(Inputs inputs, const NodeAttributes&) { return pairs(inputs, [](float a, float b) { return a * b; }); }
Value run_divide(Inputs inputs, const NodeAttributes&) { return pairs(inputs, [](float a, float b) { return a / b; }); }

Value run_clip(Inputs inputs, const NodeAttributes& attributes) {
  const auto least = static_cast<float>(attributes.real("min", std::numeric_limits<float>::lowest()));
  const auto most = static_cast<float>(attributes.real("max", std::numeric_limits<float>::max()));
  return each(*inputs[0], [=](float x) { return x < least ? least : x > most ? most : x; });
}

Value run_relu(Inputs inputs, const NodeAttributes&) {
  return each(*inputs[0], [](float x) { return x < 0 ? 0 : x; });
}

Value run_hard_sigmoid(Inputs inputs, const NodeAttributes& attributes) {
  const auto alpha = static_cast<float>(attributes.real("alpha", 0.2));
  const auto beta = static_cast<float>(attributes.real("beta", 0.5));
  return each(*inputs[0], [=](float x) {
    const float y = alpha * x + beta;
    return y < 0 ? 0 : y > 1 ? 1 : y;
  });
}

Value run_product(Inputs inputs, const NodeAttributes&) {
  const Value& a = *inputs[0];
  const Value& b = *inputs[1];
  require_floats(a), require_floats(b);
  if (a.rank() != 2 || b.rank() != 2 || a.shape[1] != b.shape[0])
    throw UserError(fmt::format("a product of ({}) and ({}); two matrices that fit are known here", fmt::join(a.shape, ", "), fmt::join(b.shape, ", ")));
  const Index rows = a.shape[0], depth = a.shape[1], columns = b.shape[1];
  Value y{{rows, columns}, false, std::vector<float>(static_cast<std::size_t>(checked_size(std::array{rows, columns}, "a value"))), {}};
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) {
      double sum = 0;
      for (Index k = 0; k < depth; ++k)
        sum += static_cast<double>(a.floats[static_cast<std::size_t>(i * depth + k)]) * static_cast<double>(b.floats[static_cast<std::size_t>(k * columns + j)]);
      y.floats[static_cast<std::size_t>(i * columns + j)] = static_cast<float>(sum);
    }
  return y;
}

/// Up to opset 12 a softmax is over all axes from `axis` on together.
Value run_softmax(Inputs inputs, const NodeAttributes& attributes) {
  Value y = *inputs[0];
  require_floats(y);
  const Index axis = attributes.integer("axis", 1);
  if (axis < 0 || axis > y.rank()) throw UserError(fmt::format("axis {} of a value with {} dimensions", axis, y.rank()));
  Index width = 1;
  for (Index i = axis; i < y.rank(); ++i) width *= y.shape[static_cast<std::size_t>(i)];
  for (auto row = y.floats.begin(); row != y.floats.end(); row += width) {
    const float largest = *std::max_element(row, row + width);
    double sum = 0;
    for (auto x = row; x != row + width; ++x) sum += static_cast<double>(*x = std::exp(*x - largest));
    for (auto x = row; x != row + width; ++x) *x = static_cast<float>(static_cast<double>(*x) / sum);
  }
  return y;
}

}  // namespace attention::convolutional
