#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::tensor {

/// A dense row-major array on aligned memory whose number of dimensions is known at run time only. The ladders' tensors have it
/// in their type; what is learnt and recorded has all kinds of them.
template <class Real>
using ArrayOf = xt::xarray_container<xt::uvector<Real, AlignedAllocator<Real>>, xt::layout_type::row_major>;

using Shape = std::vector<std::size_t>;

/// An array of the given shape whose elements are not yet set.
template <class Real>
ArrayOf<Real> empty_array(const Shape& shape) {
  return ArrayOf<Real>::from_shape(shape);
}

/// An array of equal elements.
template <class Real>
ArrayOf<Real> filled_array(const Shape& shape, Real with) {
  ArrayOf<Real> array = empty_array<Real>(shape);
  std::fill(array.data(), array.data() + array.size(), with);
  return array;
}

template <class Real>
Shape shape_of(const ArrayOf<Real>& array) {
  return {array.shape().begin(), array.shape().end()};
}

}  // namespace attention::tensor
