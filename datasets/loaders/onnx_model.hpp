#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// A tensor that a model holds: float32, or int32 and int64 widened to int64.
struct OnnxTensor {
  std::string name;
  std::vector<tensor::Index> shape;
  bool whole = false;                 ///< the numbers are in `integers`
  std::vector<float> floats;          ///< row-major
  std::vector<std::int64_t> integers;

  std::size_t size() const { return whole ? integers.size() : floats.size(); }
};

/// What a node says beside its inputs. One of the kinds is meant; the others are empty.
struct OnnxAttribute {
  enum class Kind { real, integer, text, tensor, reals, integers };
  std::string name;
  Kind kind = Kind::integer;
  float real = 0;
  std::int64_t integer = 0;
  std::string text;
  OnnxTensor tensor;
  std::vector<float> reals;
  std::vector<std::int64_t> integers;
};

/// One operation: names of tensors in, names of tensors out; an empty name is an input left out.
struct OnnxNode {
  std::string op;
  std::string domain;  ///< empty for the standard's own operators
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<OnnxAttribute> attributes;
};

/// A network in the exchange format ONNX: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the messages and their field
/// numbers, https://protobuf.dev/programming-guides/encoding how they are written.
struct OnnxModel {
  std::int64_t opset = 0;  ///< version of the standard's own operators
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> constants;
  std::vector<std::string> inputs;  ///< but for the constants
  std::vector<std::string> outputs;
};

/// Reads a model of at most 64 MB. Fields that it does not know are passed over, as the format asks for; what would change what
/// the network computes is refused: subgraphs, functions, data in other files, sparse tensors, tensors of other types. Throws
/// UserError, one line that names the file, on that and on any damage: sizes are checked before anything is allocated. Whether the
/// nodes fit together is for those to find out who run them.
OnnxModel read_onnx(const std::filesystem::path& file);

/// The same from bytes; `name` is that of the file in messages.
OnnxModel parse_onnx(std::string_view bytes, const std::string& name);

}  // namespace attention::datasets
