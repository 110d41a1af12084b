#pragma once

#include "conformance/attributes.hpp"
#include "layers/window.hpp"

namespace attention::conformance {

/// kernel_shape, strides, dilations, pads, auto_pad and ceil_mode of a convolution or a pooling. Throws UserError where one is not
/// what it should be.
convolutional::WindowAttributes window_attributes(const Attributes& attributes);

/// The lengths after batch and channels. Throws UserError where there are none, NotKnown where there are more than three.
std::span<const Index> spatial_of(const CaseTensor& tensor);

}  // namespace attention::conformance
