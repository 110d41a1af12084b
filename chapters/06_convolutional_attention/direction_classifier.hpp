#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "layers/network.hpp"
#include "tensor/tensor.hpp"

namespace attention::convolutional {

/// What the classifier says of a picture with a line of text.
struct Direction {
  float upright = 0;  ///< probability
  float turned = 0;   ///< by 180 degrees; both sum to 1
  /// Of each squeeze-and-excitation block, in order: its gates, one a channel.
  std::vector<std::vector<float>> gates;
};

/// Whether a line of text stands upright or upside down: the classifier of PaddleOCR (Du et al. 2020, arXiv:2009.09941;
/// weights as PP-OCR mobile 2.0 ships them, and PP-OCRv4 still uses), a MobileNetV3 (Howard et al. 2019) with a squeeze-and-
/// excitation block in nine of its eleven bottlenecks. Others have trained it; it is read from its ONNX file and run by the layers
/// of this chapter.
class DirectionClassifier {
 public:
  /// Of the pictures that it takes.
  static constexpr Index height = 48;
  static constexpr Index width = 192;
  static constexpr Index blocks = 9;

  /// Reads the model from its file. Throws UserError where it is missing, damaged, or another network.
  explicit DirectionClassifier(const std::filesystem::path& file);

  /// The name of the file in the folder of the data set.
  static constexpr const char* file_name = "ch_ppocr_mobile_v2.0_cls_infer.onnx";

  /// Grey pictures, 0 to 1, of any size: each is scaled to `height` rows with its proportions, but for what is too wide, and stands
  /// at the left of a grey ground, as it was trained. Throws UserError where a picture is empty.
  std::vector<Direction> classify(std::span<const tensor::Tensor<2>> pictures) const;

  /// Pictures that run together: more would not stay in the cache between two layers.
  static constexpr Index together = 4;

  /// May change the gates [pictures, channels] of a block, counted from 0, before they are used; the pictures are `together` at a
  /// time, and several threads may call at once.
  using GateChange = std::function<void(Index block, std::span<float> gates, Index channels)>;

  /// The same for what classify() makes of the pictures: [pictures, 3, height, width], from −1 to 1.
  std::vector<Direction> run(const tensor::Tensor<4>& input, const GateChange& change = {}) const;
  static tensor::Tensor<4> prepare(std::span<const tensor::Tensor<2>> pictures);

 private:
  /// As many pictures as there are directions to be filled in.
  void run_some(const float* input, std::span<Direction> directions, const GateChange& change) const;

  Network network_;
};

}  // namespace attention::convolutional
