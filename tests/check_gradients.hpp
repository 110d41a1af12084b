#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "autograd/arithmetic.hpp"
#include "autograd/layers.hpp"
#include "autograd/reductions.hpp"
#include "autograd/tape.hpp"
#include "catch.hpp"
#include "gradient_share.hpp"

namespace attention::tests {

using autograd::Tape;
using autograd::Variable;
using tensor::ArrayOf;
using tensor::Index;
using tensor::Shape;

/// Numbers in (-1, 1), none near another's place: the largest of them is one only.
inline ArrayOf<double> random_array(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1) {
  ArrayOf<double> array = tensor::empty_array<double>(shape);
  numerics::Random random(seed);
  for (double& x : array) x = low + (high - low) * random.uniform();
  return array;
}

template <class Real>
ArrayOf<Real> as(const ArrayOf<double>& from) {
  ArrayOf<Real> to = tensor::empty_array<Real>(tensor::shape_of(from));
  std::copy(from.data(), from.data() + from.size(), to.data());
  return to;
}

/// A function of some arrays, written on a tape.
template <class Real>
using Function = std::function<Variable<Real>(Tape<Real>&, const std::vector<Variable<Real>>&)>;

/// Σ weights ∘ y with weights that are all different, so that no element of y is left out.
template <class Real>
Variable<Real> one_number(const Variable<Real>& y) {
  return autograd::sum(y * y.tape().constant(as<Real>(random_array(y.shape(), 99, 0.5, 1.5))));
}

/// What the losses of these checks round in proportion to: they have some tens of terms near 1.
inline constexpr double loss_size = 100;

/// The differences' step, and one for what has kinks.
inline constexpr double smooth_step = 0x1p-10, kinked_step = 0x1p-20;

/// The largest share of all elements of all inputs, in float64. Up to 1 the gradients are right.
inline double worst_gradient(const Function<double>& function, std::vector<ArrayOf<double>> inputs, double step = smooth_step) {
  const auto loss = [&](Tape<double>& tape, std::vector<Variable<double>>& in) {
    for (const ArrayOf<double>& input : inputs) in.push_back(tape.variable(input));
    return one_number(function(tape, in));
  };
  Tape<double> tape;
  std::vector<Variable<double>> variables;
  tape.backward(loss(tape, variables));
  double worst = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const ArrayOf<double>* gradient = tape.gradient(variables[k]);
    for (std::size_t i = 0; i < inputs[k].size(); ++i)
      worst = std::max(worst, gradient_share(inputs[k].data()[i], gradient ? gradient->data()[i] : 0, [&] {
                         Tape<double> other;
                         std::vector<Variable<double>> in;
                         return loss(other, in).data()[0];
                       }, loss_size, 1e-4, step));
  }
  return worst;
}

/// The same for a model's weights: `loss` writes the whole on a tape and gives one number. Every `every`-th weight is tried.
inline double worst_parameter_gradient(const autograd::ParameterList<double>& parameters, const std::function<Variable<double>(Tape<double>&)>& loss,
                                       std::size_t every = 1, double step = smooth_step) {
  Tape<double> tape;
  tape.backward(loss(tape));
  double worst = 0;
  std::size_t number = 0;
  for (const auto& [name, parameter] : parameters) {
    const ArrayOf<double>* gradient = tape.gradient(*parameter);
    for (std::size_t i = 0; i < parameter->value.size(); ++i) {
      if (number++ % every != 0) continue;
      const double share = gradient_share(parameter->value.data()[i], gradient ? gradient->data()[i] : 0, [&] {
        Tape<double> other;
        return loss(other).data()[0];
      }, loss_size, 1e-4, step);
      INFO(name << " " << i);
      CHECK(share <= 1);
      worst = std::max(worst, share);
    }
  }
  return worst;
}

/// The largest difference between float32 and float64, of the value and of all gradients, as a share of the largest of each.
inline double worst_rounding(const Function<float>& single, const Function<double>& twice, const std::vector<ArrayOf<double>>& inputs) {
  const auto all = [&]<class Real>(const Function<Real>& function) {
    Tape<Real> tape;
    std::vector<Variable<Real>> in;
    for (const ArrayOf<double>& input : inputs) in.push_back(tape.variable(as<Real>(as<float>(input) + 0)));
    const Variable<Real> y = function(tape, in);
    tape.backward(one_number(y));
    std::vector<std::vector<double>> found{{y.data(), y.data() + y.size()}};
    for (const Variable<Real>& v : in) {
      const ArrayOf<Real>* gradient = tape.gradient(v);
      found.emplace_back(static_cast<std::size_t>(v.size()));
      if (gradient) std::copy(gradient->data(), gradient->data() + gradient->size(), found.back().begin());
    }
    return found;
  };
  const auto a = all(single);
  const auto b = all(twice);
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < a[k].size(); ++i) {
      largest = std::max(largest, std::abs(b[k][i]));
      error = std::max(error, std::abs(a[k][i] - b[k][i]));
    }
    worst = std::max(worst, error / std::max(largest, 1e-30));
  }
  return worst;
}

}  // namespace attention::tests
