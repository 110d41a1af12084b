#pragma once

#include <algorithm>
#include <cmath>

#include "gradient_share.hpp"
#include "tensor/tensor.hpp"

/// Central differences of the forward references, which are in float64 but take their inputs in float32.
namespace attention::tests {

/// Rounds to multiples of 2^−10: then x ± a step of the differences, down to 2^−21, is a float32 too, and the
/// differences are exact in x.
template <class Tensor>
void quantise(Tensor& tensor) {
  for (float& x : tensor) x = std::round(x * 1024) / 1024;
}

/// The largest |∂L/∂x − gradient| of one input's elements, as a share of what the differences leave open: up to 1 the
/// gradients are right. `loss` computes L from the problem that `input` is part of.
template <class Input, class Gradient, class Loss>
double worst_difference(Input& input, const Gradient& gradient, Loss loss, double size, double step) {
  REQUIRE(input.size() == gradient.size());
  double worst = 0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    float& element = input.data()[i];
    const float before = element;
    double number = static_cast<double>(before);
    const auto at = [&] {
      element = static_cast<float>(number);
      REQUIRE(static_cast<double>(element) == number);
      const double value = loss();
      element = before;
      return value;
    };
    worst = std::max(worst, gradient_share(number, gradient.data()[i], at, size, 1e-4, step));
  }
  return worst;
}

/// L = Σ dY ∘ Y
template <class Gradient, class Output>
double loss_of(const Gradient& output_gradient, const Output& output) {
  double sum = 0;
  for (std::size_t i = 0; i < output.size(); ++i)
    sum += static_cast<double>(output_gradient.data()[i]) * output.data()[i];
  return sum;
}

/// Σ |dY|, times `largest`: what the roundings of that loss are in proportion to.
template <class Gradient>
double loss_size_of(const Gradient& output_gradient, double largest = 10) {
  double sum = 0;
  for (const float g : output_gradient) sum += std::abs(static_cast<double>(g));
  return largest * sum;
}

}  // namespace attention::tests
