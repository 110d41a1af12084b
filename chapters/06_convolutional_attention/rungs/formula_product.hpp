#pragma once

#include "tensor/tensor.hpp"

namespace attention::convolutional {

/// a · b for matrices, as a broadcast [rows × depth × columns] that is summed.
template <class A, class B>
tensor::Tensor<2> formula_product(const A& a, const B& b) {
  return xt::sum(xt::view(a, xt::all(), xt::all(), xt::newaxis()) * xt::view(b, xt::newaxis(), xt::all(), xt::all()),
                 {1});
}

}  // namespace attention::convolutional
