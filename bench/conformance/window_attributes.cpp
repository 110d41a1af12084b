#include "conformance/window_attributes.hpp"

#include <fmt/format.h>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::conformance {

convolutional::WindowAttributes window_attributes(const Attributes& attributes) {
  using convolutional::AutoPad;
  convolutional::WindowAttributes window;
  window.kernel = attributes.integers("kernel_shape");
  window.strides = attributes.integers("strides");
  window.dilations = attributes.integers("dilations");
  window.pads = attributes.integers("pads");
  window.ceil_mode = attributes.integer("ceil_mode", 0, 0, 1) == 1;
  const std::string how = attributes.text("auto_pad", "NOTSET");
  if (how == "SAME_UPPER") window.auto_pad = AutoPad::same_upper;
  else if (how == "SAME_LOWER") window.auto_pad = AutoPad::same_lower;
  else if (how == "VALID") window.auto_pad = AutoPad::valid;
  else if (how != "NOTSET")
    throw program::UserError(fmt::format("auto_pad is NOTSET, SAME_UPPER, SAME_LOWER or VALID, not '{}'", program::one_line(how, 60)));
  return window;
}

std::span<const Index> spatial_of(const CaseTensor& tensor) {
  if (tensor.rank() < 3)
    throw program::UserError(fmt::format("{} has {} dimensions, expected batch, channels and at least one more",
                                         program::one_line(tensor.name(), 60), tensor.rank()));
  if (tensor.rank() > 5)
    throw NotKnown(fmt::format("windows over {} axes are not known here, over 1 to 3 are", tensor.rank() - 2));
  return std::span<const Index>(tensor.shape()).subspan(2);
}

}  // namespace attention::conformance
