#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "tensor/compatibility.hpp"
#include "tensor/elements.hpp"
#include "tensor/memory.hpp"

namespace attention {

/// A length of ours, which has a sign, as the containers want it.
constexpr std::size_t size(std::ptrdiff_t n) { return static_cast<std::size_t>(n); }

}  // namespace attention

namespace attention::tensor {

/// Gives memory on 64-byte boundaries: one cache line, one 512-bit vector. xtensor's own default is 16 bytes, and an aligned
/// pass over memory is 1.3 times faster. Large memory lies on huge pages where the system has them.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(take_memory(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept { give_memory(memory, count * sizeof(T)); }

  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) noexcept { return true; }
};

/// A dense row-major tensor of `Rank` dimensions on 64-byte-aligned memory, unless it was lent other.
template <class Real, std::size_t Rank>
using TensorOf = xt::xtensor_container<Elements<Real, AlignedAllocator<Real>>, Rank, xt::layout_type::row_major>;

/// The float32 tensor of the ladders; by convention [batch, heads, n, dim] where an attention takes or gives it.
template <std::size_t Rank>
using Tensor = TensorOf<float, Rank>;

/// Aligned scratch memory of a kernel, zeros at first.
using Buffer = std::vector<float, AlignedAllocator<float>>;

/// The same, unset: for a buffer that is written as a whole before it is read.
using UnsetBuffer = xt::uvector<float, AlignedAllocator<float>>;

using Index = std::ptrdiff_t;

/// A float32 tensor of the given shape whose elements are not yet set.
template <std::size_t Rank, class Real = float>
TensorOf<Real, Rank> empty(const std::array<std::size_t, Rank>& shape) {
  return TensorOf<Real, Rank>(typename TensorOf<Real, Rank>::shape_type(shape));
}

/// A tensor over memory that the caller lends: see Elements. Nobody may write to it where the caller does not want that.
template <std::size_t Rank, class Real = float>
TensorOf<Real, Rank> lent(Real* memory, const std::array<std::size_t, Rank>& shape) {
  typename TensorOf<Real, Rank>::inner_shape_type sizes = shape;
  typename TensorOf<Real, Rank>::inner_strides_type strides{};
  const std::size_t size = xt::compute_strides(sizes, xt::layout_type::row_major, strides);
  return TensorOf<Real, Rank>(TensorOf<Real, Rank>::storage_type::lent(memory, size), std::move(sizes), std::move(strides));
}

/// Length of the tensor's axis, as a signed number. Ask this and never strides(): a dimension of size 1 has stride 0.
template <class T>
Index extent(const T& tensor, std::size_t axis) {
  return static_cast<Index>(tensor.shape()[axis]);
}

}  // namespace attention::tensor
