#pragma once

#include "tensor/tensor.hpp"

namespace attention::multi_head {

/// A · B, element by element through a broadcast [rows × depth × columns] that is never stored.
template <class A, class B>
tensor::Tensor<2> xtensor_product(const A& a, const B& b) {
  using xt::all;
  using xt::newaxis;
  return xt::sum(xt::view(a, all(), all(), newaxis()) * xt::view(b, newaxis(), all(), all()), {1});
}

}  // namespace attention::multi_head
