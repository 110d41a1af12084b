#pragma once

#include <string>
#include <utility>

#include "ladder/field.hpp"

// What a mechanism tells the ladder of its tensors, in a word each.
namespace attention::ladder {

/// A size, for a formula of costs or errors.
inline double number(Index size) { return static_cast<double>(size); }

/// An output's tensor as groups × rows × row_size; without values where the rung has not stored it (a size of 0).
template <class T>
Field field(std::string name, const T& tensor, Index groups, Index rows, Index row_size) {
  std::vector<std::size_t> shape(tensor.shape().begin(), tensor.shape().end());
  // A tensor that nothing was put into has one element all the same: its shape is what counts.
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  return {std::move(name), std::move(shape), groups, rows, row_size, {tensor.data(), size}};
}

/// The reference's tensor likewise, with the largest difference that rounding alone explains.
template <class T>
ReferenceField reference_field(std::string name, const T& tensor, Index groups, Index rows, Index row_size, double bound) {
  return {std::move(name), {tensor.shape().begin(), tensor.shape().end()}, groups, rows, row_size, {tensor.data(), tensor.size()}, bound};
}

/// A tensor of a problem by name.
template <class T>
NamedTensor named(std::string name, const T& tensor) {
  return {std::move(name), {tensor.shape().begin(), tensor.shape().end()}, {tensor.data(), tensor.size()}};
}

}  // namespace attention::ladder
