#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "check_gradients.hpp"
#include "numerics/error_bound.hpp"

/// A backward ladder's reference held against the tape and against central differences. The loss is Σ G ∘ y, where y is
/// forward, written on the tape in float64.
namespace attention::tests {

/// A tensor of any rank: its shape, and its numbers in float64.
struct Numbers {
  ArrayOf<double> values;
  template <class Tensor>
  Numbers(const Tensor& tensor)  // NOLINT: a tensor is given where one is asked for
      : values(tensor::empty_array<double>(Shape(tensor.shape().begin(), tensor.shape().end()))) {
    std::copy(tensor.data(), tensor.data() + values.size(), values.data());
  }
};

struct GradientCase {
  Function<double> forward;
  std::vector<Numbers> inputs;
  Numbers output_gradient;         ///< G
  std::vector<Numbers> gradients;  ///< the reference's, one an input
};

namespace detail {
inline Variable<double> loss_of(const GradientCase& c, Tape<double>& tape, std::vector<Variable<double>>& in) {
  for (const Numbers& input : c.inputs) in.push_back(tape.variable(input.values));
  const Variable<double> y = c.forward(tape, in);
  REQUIRE(y.shape() == tensor::shape_of(c.output_gradient.values));
  return autograd::sum(y * tape.constant(c.output_gradient.values));
}
}  // namespace detail

/// The largest |gradient − central difference| of all numbers, as a share of what the differences leave open: up to 1
/// all are right.
inline double worst_difference_share(GradientCase c, double step = smooth_step) {
  const auto loss = [&c] {
    Tape<double> tape;
    std::vector<Variable<double>> in;
    return detail::loss_of(c, tape, in).data()[0];
  };
  double worst = 0;
  for (std::size_t k = 0; k < c.inputs.size(); ++k)
    for (std::size_t i = 0; i < c.inputs[k].values.size(); ++i)
      worst = std::max(worst, gradient_share(c.inputs[k].values.data()[i], c.gradients[k].values.data()[i], loss,
                                             loss_size, 1e-4, step));
  return worst;
}

/// The largest difference between the tape's gradients and the reference's, as a share of the largest of each tensor.
inline double largest_tape_difference(const GradientCase& c) {
  Tape<double> tape;
  std::vector<Variable<double>> in;
  tape.backward(detail::loss_of(c, tape, in));
  double worst = 0;
  for (std::size_t k = 0; k < in.size(); ++k) {
    const ArrayOf<double>* found = tape.gradient(in[k]);
    REQUIRE(found);
    const ArrayOf<double>& wanted = c.gradients[k].values;
    const double largest = numerics::largest_finite(wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      worst = std::max(worst, std::abs(found->data()[i] - wanted.data()[i]) / largest);
  }
  return worst;
}

}  // namespace attention::tests
