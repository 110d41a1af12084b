#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/network.hpp"

namespace attention::convolutional {

/// What a node says beside its inputs, by name and kind.
class NodeAttributes {
 public:
  explicit NodeAttributes(const datasets::OnnxNode& node) : node_(node) {}

  Index integer(std::string_view name, Index otherwise) const;
  double real(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, const char* otherwise) const;
  std::vector<Index> integers(std::string_view name) const;
  /// Throws UserError where it is not given.
  const datasets::OnnxTensor& tensor(std::string_view name) const;

 private:
  /// Null where it is not given. Throws UserError where it is of another kind.
  const datasets::OnnxAttribute* find(std::string_view name, datasets::OnnxAttribute::Kind kind) const;

  const datasets::OnnxNode& node_;
};

using Inputs = std::span<const Value* const>;

/// An operator of a network: its one output from its inputs. Throws UserError where they do not fit.
struct NetworkOperator {
  std::string_view name;
  std::size_t inputs;       ///< that must be there
  std::size_t most_inputs;
  std::vector<std::string_view> attributes;
  Value (*run)(Inputs inputs, const NodeAttributes& attributes);
};

/// Null where there is none.
const NetworkOperator* find_network_operator(std::string_view name);

/// A tensor of a model as a value.
Value value_of(const datasets::OnnxTensor& tensor);

// Some operators, one file each kind.
Value run_convolution(Inputs inputs, const NodeAttributes& attributes);
Value run_batch_normalization(Inputs inputs, const NodeAttributes& attributes);
Value run_max_pool(Inputs inputs, const NodeAttributes& attributes);
Value run_global_average_pool(Inputs inputs, const NodeAttributes& attributes);

Value run_shape(Inputs inputs, const NodeAttributes& attributes);
Value run_cast(Inputs inputs, const NodeAttributes& attributes);
Value run_slice(Inputs inputs, const NodeAttributes& attributes);
Value run_concat(Inputs inputs, const NodeAttributes& attributes);
Value run_reshape(Inputs inputs, const NodeAttributes& attributes);

Value run_add(Inputs inputs, const NodeAttributes& attributes);
Value run_multiply(Inputs inputs, const NodeAttributes& attributes);
Value run_divide(Inputs inputs, const NodeAttributes& attributes);
Value run_clip(Inputs inputs, const NodeAttributes& attributes);
Value run_relu(Inputs inputs, const NodeAttributes& attributes);
Value run_hard_sigmoid(Inputs inputs, const NodeAttributes& attributes);
Value run_product(Inputs inputs, const NodeAttributes& attributes);
Value run_softmax(Inputs inputs, const NodeAttributes& attributes);

}  // namespace attention::convolutional
