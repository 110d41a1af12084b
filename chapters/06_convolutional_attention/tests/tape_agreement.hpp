#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <string>

#include "attention_module.hpp"
#include "autograd/arithmetic.hpp"
#include "autograd/reductions.hpp"
#include "catch.hpp"
#include "channels_last_maps.hpp"
#include "tensor/tensor.hpp"

/// The networks of this chapter learn on a tape, with the channels last. These hold its gradients against those of the
/// backward ladders.
namespace attention::tests {

using tensor::ArrayOf;
using tensor::Index;

/// The same numbers as an array of that shape, in float64.
template <class Tensor>
ArrayOf<double> as_array(const Tensor& t) {
  auto to = tensor::empty_array<double>(tensor::Shape(t.shape().begin(), t.shape().end()));
  std::transform(t.data(), t.data() + t.size(), to.data(), [](auto x) { return static_cast<double>(x); });
  return to;
}

/// [batch, channels, height, width] with the channels last, in float64.
template <class Maps>
ArrayOf<double> channels_last(const Maps& maps) {
  return as_array(convolutional::channels_last(maps));
}

/// A matrix [outputs, inputs] as the tape's layers have it, [inputs, outputs], in float64.
template <class Matrix>
ArrayOf<double> turned(const Matrix& m) {
  const std::size_t rows = m.shape()[0], columns = m.shape()[1];
  auto to = tensor::empty_array<double>({columns, rows});
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) to.data()[j * rows + i] = static_cast<double>(m.data()[i * columns + j]);
  return to;
}

/// Largest |a − b|, as a share of the largest |b|.
inline double disagreement(const ArrayOf<double>* a, const ArrayOf<double>& b) {
  REQUIRE(a != nullptr);
  REQUIRE(a->size() == b.size());
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    largest = std::max(largest, std::abs(b.data()[i]));
    difference = std::max(difference, std::abs(a->data()[i] - b.data()[i]));
  }
  return difference / largest;
}

/// A weight of a module: what it is to be, and the gradient that is expected.
struct ModuleWeight {
  std::string name;
  ArrayOf<double> value, gradient;
};

/// Puts the weights into the module, runs it on the tape, and holds all gradients against the expected ones: 1e-12.
inline void check_against_tape(convolutional::AttentionModule<double> module, const std::vector<ModuleWeight>& weights,
                               const ArrayOf<double>& input, const ArrayOf<double>& output_gradient,
                               const ArrayOf<double>& input_gradient) {
  autograd::ParameterList<double> list;
  module.collect("", list);
  REQUIRE(list.size() == weights.size());
  const auto parameter = [&list](const std::string& name) {
    const auto found = std::ranges::find(list, "." + name, &autograd::NamedParameter<double>::name);
    REQUIRE(found != list.end());
    return found->parameter;
  };
  for (const ModuleWeight& weight : weights) {
    INFO(weight.name);
    REQUIRE(parameter(weight.name)->value.size() == weight.value.size());
    parameter(weight.name)->value = weight.value;
  }
  autograd::Tape<double> tape;
  const auto x = tape.variable(input);
  tape.backward(autograd::sum(module(x).output * tape.constant(output_gradient)));
  CHECK(disagreement(tape.gradient(x), input_gradient) < 1e-12);
  for (const ModuleWeight& weight : weights) {
    INFO(weight.name);
    CHECK(disagreement(tape.gradient(*parameter(weight.name)), weight.gradient) < 1e-12);
  }
}

}  // namespace attention::tests
