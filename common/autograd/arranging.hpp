#pragma once

#include <vector>

#include "autograd/tape.hpp"

namespace attention::autograd {

/// The same elements in their order, in another shape of as many.
template <class Real>
Variable<Real> reshape(const Variable<Real>& x, const Shape& shape);

/// The axes in another order: axis i of the result is axis order[i] of x.
template <class Real>
Variable<Real> permute(const Variable<Real>& x, const std::vector<std::size_t>& order);

/// One behind the other along an axis; all other lengths are equal.
template <class Real>
Variable<Real> concatenate(const std::vector<Variable<Real>>& parts, Index axis);

/// Values of equal shape, along a new first axis.
template <class Real>
Variable<Real> stack(const std::vector<Variable<Real>>& parts);

/// Elements first … last − 1 of an axis.
template <class Real>
Variable<Real> slice(const Variable<Real>& x, Index axis, Index first, Index last);

/// Rows of a table [rows, …] by their numbers: [numbers.size(), …]. A row that is asked for n times gets n gradients, added in
/// the order of `numbers`. Throws std::out_of_range where there is no such row.
template <class Real>
Variable<Real> gather(const Variable<Real>& table, const std::vector<Index>& numbers);

#define ATTENTION_DECLARE(Real)                                                              \
  extern template Variable<Real> reshape(const Variable<Real>&, const Shape&);               \
  extern template Variable<Real> permute(const Variable<Real>&, const std::vector<std::size_t>&); \
  extern template Variable<Real> concatenate(const std::vector<Variable<Real>>&, Index);     \
  extern template Variable<Real> stack(const std::vector<Variable<Real>>&);                  \
  extern template Variable<Real> slice(const Variable<Real>&, Index, Index, Index);          \
  extern template Variable<Real> gather(const Variable<Real>&, const std::vector<Index>&);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
