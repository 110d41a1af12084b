#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// The weights of a model in TensorFlow.js's form: model.json lists the tensors and, in their order, the shards beside it that
/// hold them one after another, little-endian.
class TfjsWeights {
 public:
  /// Reads model.json and its shards. Throws UserError, naming the file, where one is missing or no JSON, the list is damaged, or
  /// the shards hold fewer or more bytes than it says.
  explicit TfjsWeights(const std::filesystem::path& folder);

  /// The float32 tensor of this shape whose name has these parts in their order (names are long paths: "Layer_0", "conv1/bias").
  /// Throws UserError where there is none or several.
  std::span<const float> find(std::initializer_list<std::string_view> parts, std::initializer_list<std::size_t> shape) const;

 private:
  struct Entry {
    std::string name;
    std::vector<std::size_t> shape;
    std::size_t first;  ///< place of its first number, in words
    std::size_t count;
  };

  std::string file_;
  std::vector<Entry> entries_;
  tensor::UnsetBuffer words_;
};

/// The pieces of a SentencePiece vocabulary in vocab.json, [["piece", log-probability], …], a piece's place being its number. A score of null counts
/// as 0.
/// Throws UserError, naming the file, where it is missing, no JSON, or of another form.
std::vector<std::pair<std::string, double>> load_pieces(const std::filesystem::path& file);

}  // namespace attention::datasets
