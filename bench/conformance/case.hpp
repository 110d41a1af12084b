#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "program/json.hpp"
#include "tensor/npy.hpp"
#include "tensor/tensor.hpp"

/// Cases of standard operators: inputs, attributes and the outputs that are expected, each case a folder.
namespace attention::conformance {

using tensor::Index;
using Shape = std::vector<Index>;

/// Something of a case that is not known here, an operator, an attribute, a type: the case is skipped, what() names it.
struct NotKnown : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What case.json says of one tensor.
struct TensorDescription {
  std::string name;
  std::string dtype;  ///< NumPy's name
  Shape shape;
};

/// case.json.
struct Description {
  std::string op;
  Index opset = 0;
  Json attributes;
  std::vector<std::optional<TensorDescription>> inputs;  ///< in the operator's order; none for one left out
  std::vector<std::optional<TensorDescription>> outputs;
};

/// Reads FOLDER/case.json. Throws UserError, one line, where it is missing, not JSON, larger than 1 MB, a field is missing or of
/// another kind, or a tensor is not described, has a name that is no file's, or a size that no memory holds.
Description read_description(const std::filesystem::path& folder);

/// One tensor of a case, as it is stored.
class CaseTensor {
 public:
  CaseTensor(std::string name, tensor::NpyArray array);

  const std::string& name() const { return name_; }
  const std::string& dtype() const { return array_.dtype; }
  bool is_half() const { return dtype() == "float16"; }
  const Shape& shape() const { return shape_; }
  Index rank() const { return std::ssize(shape_); }
  Index extent(Index axis) const { return shape_[static_cast<std::size_t>(axis)]; }
  Index size() const { return size_; }

  /// The numbers where they are, of a tensor whose dtype is that of T (uint16_t: the bits of float16).
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(array_.bytes.data());
  }
  /// All numbers as float32; bool becomes 0 and 1.
  std::vector<float> as_float() const;
  /// All numbers of an int64 or int32 tensor. Throws UserError on another dtype.
  std::vector<Index> as_index() const;

 private:
  std::string name_;
  tensor::NpyArray array_;
  Shape shape_;
  Index size_ = 1;
};

/// A case with its tensors.
struct Case {
  Json attributes;
  std::vector<std::optional<CaseTensor>> inputs;
  std::vector<std::optional<CaseTensor>> outputs;

  /// Null where it is left out.
  const CaseTensor* input(std::size_t place) const { return at(inputs, place); }
  const CaseTensor* output(std::size_t place) const { return at(outputs, place); }

 private:
  static const CaseTensor* at(const std::vector<std::optional<CaseTensor>>& tensors, std::size_t place) {
    return place < tensors.size() && tensors[place] ? &*tensors[place] : nullptr;
  }
};

/// Reads NAME.npy of every tensor described. Throws UserError where a file is missing or damaged, or its dtype or shape is not
/// that in case.json; sizes are checked before anything is allocated.
Case read_tensors(const std::filesystem::path& folder, const Description& description);

/// (2, 3, 4)
std::string as_text(std::span<const Index> shape);

/// Throws UserError where the tensor has another shape.
void require_shape(const CaseTensor& tensor, const Shape& shape);
/// Throws UserError where the tensors have different dtypes.
void require_same_dtype(const CaseTensor& tensor, const CaseTensor& as);
/// Throws NotKnown where the tensor is neither float32 nor float16.
void require_float(const CaseTensor& tensor);

}  // namespace attention::conformance
