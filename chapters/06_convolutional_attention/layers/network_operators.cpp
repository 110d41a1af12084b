// The table of a network's operators, and what their nodes say.
#include "layers/network_operators.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/error.hpp"

namespace attention::convolutional {

namespace {

using Kind = datasets::OnnxAttribute::Kind;

}  // namespace

const datasets::OnnxAttribute* NodeAttributes::find(std::string_view name, Kind kind) const {
  const auto found = std::ranges::find(node_.attributes, name, &datasets::OnnxAttribute::name);
  if (found == node_.attributes.end()) return nullptr;
  if (found->kind != kind) throw program::UserError(fmt::format("its attribute {} is of another kind than expected", name));
  return &*found;
}

Index NodeAttributes::integer(std::string_view name, Index otherwise) const {
  const auto* found = find(name, Kind::integer);
  return found ? found->integer : otherwise;
}

double NodeAttributes::real(std::string_view name, double otherwise) const {
  const auto* found = find(name, Kind::real);
  return found ? static_cast<double>(found->real) : otherwise;
}

std::string NodeAttributes::text(std::string_view name, const char* otherwise) const {
  const auto* found = find(name, Kind::text);
  return found ? found->text : otherwise;
}

std::vector<Index> NodeAttributes::integers(std::string_view name) const {
  const auto* found = find(name, Kind::integers);
  return found ? std::vector<Index>(found->integers.begin(), found->integers.end()) : std::vector<Index>();
}

const datasets::OnnxTensor& NodeAttributes::tensor(std::string_view name) const {
  const auto* found = find(name, Kind::tensor);
  if (!found) throw program::UserError(fmt::format("its attribute {} is missing", name));
  return found->tensor;
}

Value value_of(const datasets::OnnxTensor& tensor) { return {tensor.shape, tensor.whole, tensor.floats, tensor.integers}; }

const NetworkOperator* find_network_operator(std::string_view name) {
  static const std::vector<NetworkOperator> all{
      {"Conv", 2, 3, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}, run_convolution},
      {"BatchNormalization", 5, 5, {"epsilon", "momentum"}, run_batch_normalization},
      {"MaxPool", 1, 1, {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"}, run_max_pool},
      {"GlobalAveragePool", 1, 1, {}, run_global_average_pool},
      {"Add", 2, 2, {}, run_add},
      {"Mul", 2, 2, {}, run_multiply},
      {"Div", 2, 2, {}, run_divide},
      {"Clip", 1, 1, {"min", "max"}, run_clip},
      {"Relu", 1, 1, {}, run_relu},
      {"HardSigmoid", 1, 1, {"alpha", "beta"}, run_hard_sigmoid},
      {"MatMul", 2, 2, {}, run_product},
      {"Softmax", 1, 1, {"axis"}, run_softmax},
      {"Shape", 1, 1, {}, run_shape},
      {"Cast", 1, 1, {"to"}, run_cast},
      {"Slice", 1, 1, {"axes", "starts", "ends"}, run_slice},
      {"Concat", 1, 64, {"axis"}, run_concat},
      {"Reshape", 2, 2, {}, run_reshape},
  };
  const auto found = std::ranges::find(all, name, &NetworkOperator::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace attention::convolutional
