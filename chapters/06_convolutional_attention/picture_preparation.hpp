#pragma once

#include "tensor/tensor.hpp"

namespace attention::convolutional {

/// Any picture in grey, [height, width], 0 to 1, made what the data set's pictures are (Xiao, Rasul and Vollgraf 2017, section 2): edges whose
/// pixels are all within 5 % of the corner's grey are cut off, the longer side becomes `side`, the picture is put in the middle, and where the corners
/// are bright, dark and bright are exchanged. Their sharpening is left out. Sizes are changed by means over the area that a pixel covers.
/// A picture that is the same everywhere becomes black. The result is [side, side].
tensor::Tensor<2> prepared(const tensor::Tensor<2>& picture, std::size_t side);

}  // namespace attention::convolutional
