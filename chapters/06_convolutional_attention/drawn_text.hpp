#pragma once

#include <string_view>

#include "tensor/tensor.hpp"

namespace attention::convolutional {

/// How a text is drawn.
struct TextStyle {
  bool light_on_dark = false;
  bool bold = false;  ///< each dot half as wide again
};

/// A line of capitals, digits and blanks in letters of 5 × 7 dots, drawn for this course: no font is needed, and the pictures are the
/// same everywhere. Grey, 0 black to 1 white, six pixels a dot, a border of one dot. Throws UserError where the text is empty, longer
/// than 64 letters, or has a letter that is not drawn.
tensor::Tensor<2> draw_text(std::string_view text, TextStyle style = {});

/// The picture turned by 180 degrees.
tensor::Tensor<2> turned(const tensor::Tensor<2>& picture);

}  // namespace attention::convolutional
