#include <cstdint>

#include "catch.hpp"
#include "tensor/tensor.hpp"

using namespace attention;

TEST_CASE("tensors lie on 64-byte boundaries", "[unit]") {
  for (const std::size_t n : {1U, 3U, 100U}) {
    const auto t = tensor::empty<2>({n, 3});
    CHECK(reinterpret_cast<std::uintptr_t>(t.data()) % 64 == 0);
  }
}

// A lazy reducer with keep_dims inside a broadcast reads out of bounds in xtensor 0.24 and 0.27. The course computes the
// maximum into a tensor of its own first; this is what that must give.
TEST_CASE("a row's maximum, put into a tensor first, is taken off every row", "[unit]") {
  const tensor::Tensor<2> x{{1, 2, 3}, {4, 5, 6}};
  const tensor::Tensor<1> largest = xt::amax(x, {1});
  const tensor::Tensor<2> shifted = x - xt::view(largest, xt::all(), xt::newaxis());
  const tensor::Tensor<2> expected{{-2, -1, 0}, {-2, -1, 0}};
  CHECK(shifted == expected);
}

TEST_CASE("memory for an impossible number of elements is refused", "[unit]") {
  tensor::AlignedAllocator<float> allocator;
  CHECK_THROWS_AS(allocator.allocate(std::size_t{1} << 62U), std::bad_alloc);
}
