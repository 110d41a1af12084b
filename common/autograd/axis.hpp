#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

#include "tensor/array.hpp"

namespace attention::autograd {

using tensor::Index;
using tensor::Shape;

/// An array seen from one of its axes: [before, length, after].
struct Axis {
  Index before = 1, length = 1, after = 1;
  std::size_t place = 0;

  /// Negative axes count from the last. Throws std::invalid_argument where there is none.
  Axis(const Shape& shape, Index axis) {
    const Index rank = static_cast<Index>(shape.size());
    if (axis < -rank || axis >= rank)
      throw std::invalid_argument(fmt::format("[{}] has no axis {}", fmt::join(shape, ", "), axis));
    place = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
    for (std::size_t i = 0; i < shape.size(); ++i) (i < place ? before : i == place ? length : after) *= static_cast<Index>(shape[i]);
  }
};

}  // namespace attention::autograd
