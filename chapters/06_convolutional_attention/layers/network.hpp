#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "layers/window.hpp"
#include "loaders/onnx_model.hpp"

namespace attention::convolutional {

/// What passes between the nodes of a network: float32, or whole numbers for shapes.
struct Value {
  std::vector<Index> shape;
  bool whole = false;
  std::vector<float> floats;  ///< row-major
  std::vector<std::int64_t> integers;

  Index rank() const { return std::ssize(shape); }
  Index size() const { return static_cast<Index>(whole ? integers.size() : floats.size()); }
};

/// A convolutional network that others have trained, run node by node with the layers beside this. It knows the operators that
/// PP-OCR's direction classifier is made of, with float32, as the standard's opset 9 has them, and no others.
class Network {
 public:
  /// Takes the model. Throws UserError, naming what it is, where an operator or attribute is not known, a node takes what no node
  /// before it gives (so that there can be no circle), or a name is given twice.
  explicit Network(datasets::OnnxModel model);

  /// The number of nodes of this operator.
  Index count(std::string_view op) const;

  /// Is called after each node with what it has given, and may put other numbers in their place.
  using Watch = std::function<void(const datasets::OnnxNode&, Value&)>;

  /// The value of the one output for the one input. Throws UserError, naming the node, where shapes do not fit.
  Value run(Value input, const Watch& watch = {}) const;

 private:
  datasets::OnnxModel model_;
  std::map<std::string, Value> constants_;
  std::map<std::string, std::size_t> last_use_;  ///< after this node nobody needs the value
};

}  // namespace attention::convolutional
