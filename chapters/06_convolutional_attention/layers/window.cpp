#include "layers/window.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "program/error.hpp"

namespace attention::convolutional {

namespace {

using program::UserError;

constexpr Index largest_size = Index{1} << 48;
/// Of one axis: sums and products with a window's numbers must fit an Index.
constexpr Index largest_length = Index{1} << 32;

Index floor_divided(Index x, Index by) { return x >= 0 ? x / by : -((-x + by - 1) / by); }
Index ceil_divided(Index x, Index by) { return -floor_divided(-x, by); }

/// The list, or `otherwise` for each axis where it is empty; each entry within `least` … largest_window.
std::vector<Index> entries(const char* name, const std::vector<Index>& list, std::size_t count, Index least, Index otherwise) {
  if (list.empty()) return std::vector<Index>(count, otherwise);
  if (list.size() != count) throw UserError(fmt::format("{} has {} entries, expected {}", name, list.size(), count));
  for (const Index x : list)
    if (x < least || x > largest_window)
      throw UserError(fmt::format("{} holds {}, expected numbers from {} to {}", name, x, least, largest_window));
  return list;
}

/// The padding that gives ⌈input / stride⌉ outputs; none where fewer inputs than these would do.
void pad_to_same(Axis& axis, AutoPad how) {
  axis.output = ceil_divided(axis.input, axis.stride);
  const Index reach = (axis.kernel - 1) * axis.dilation + 1;
  const Index padding = axis.output == 0 ? 0 : std::max<Index>((axis.output - 1) * axis.stride + reach - axis.input, 0);
  axis.before = how == AutoPad::same_upper ? padding / 2 : padding - padding / 2;
  axis.after = padding - axis.before;
}

/// ⌊(input + padding − reach) / stride⌋ + 1, or ⌈ ⌉ without the windows that begin in the padding at the end.
void count_outputs(Axis& axis, bool ceil_mode) {
  const Index reach = (axis.kernel - 1) * axis.dilation + 1;
  const Index room = axis.input + axis.before + axis.after - reach;
  axis.output = floor_divided(room, axis.stride) + 1;
  if (ceil_mode) axis.output = std::min(ceil_divided(room, axis.stride) + 1, ceil_divided(axis.input + axis.before, axis.stride));
  // One that is too long by less than a stride gives no output; beyond that the formula makes no sense.
  if (axis.output < 0)
    throw UserError(fmt::format("a window of {} does not fit {} places with paddings {} and {}", reach, axis.input, axis.before, axis.after));
}

}  // namespace

Range Axis::taps(Index o) const {
  const Index first = at(o, 0);
  const Index from = std::clamp<Index>(ceil_divided(-first, dilation), 0, kernel);
  return {from, std::clamp(ceil_divided(input - first, dilation), from, kernel)};
}

Range Axis::met_taps() const {
  const Index from = std::clamp<Index>(ceil_divided(-at(output - 1, 0), dilation), 0, kernel);
  return {from, std::clamp(ceil_divided(input - at(0, 0), dilation), from, kernel)};
}

Index Axis::padded_taps(Index o) const {
  return std::clamp<Index>(ceil_divided(input + after - at(o, 0), dilation), 0, kernel);
}

Range Axis::outputs(Index t) const {
  const Index first = at(0, t);
  const Index from = std::clamp<Index>(ceil_divided(-first, stride), 0, output);
  return {from, std::clamp(ceil_divided(input - first, stride), from, output)};
}

std::vector<Index> Window::output_shape() const {
  std::vector<Index> shape;
  for (std::size_t i = window_axes - rank; i < window_axes; ++i) shape.push_back(axes[i].output);
  return shape;
}

Index checked_size(std::span<const Index> lengths, const char* what) {
  Index size = 1;
  for (const Index length : lengths)
    if (length > 0) {
      if (length > largest_size / size) throw UserError(fmt::format("{} of shape ({}) has too many numbers", what, fmt::join(lengths, ", ")));
      size *= length;
    }
  return std::ranges::find(lengths, 0) == lengths.end() ? size : 0;
}

Window window_over(std::span<const Index> spatial, const WindowAttributes& attributes) {
  const std::size_t rank = spatial.size();
  if (rank < 1 || rank > window_axes)
    throw UserError(fmt::format("a window over {} axes; expected 1 to {} beside batch and channels", rank, window_axes));
  if (attributes.kernel.empty()) throw UserError("kernel_shape is missing");
  const std::vector<Index> kernel = entries("kernel_shape", attributes.kernel, rank, 1, 1);
  const std::vector<Index> strides = entries("strides", attributes.strides, rank, 1, 1);
  const std::vector<Index> dilations = entries("dilations", attributes.dilations, rank, 1, 1);
  const std::vector<Index> pads = entries("pads", attributes.pads, 2 * rank, 0, 0);
  const bool padded = std::ranges::any_of(pads, [](Index x) { return x != 0; });
  const bool same = attributes.auto_pad == AutoPad::same_upper || attributes.auto_pad == AutoPad::same_lower;
  // Pads of 0 beside "valid" say the same twice.
  if (attributes.auto_pad != AutoPad::none && (same ? !attributes.pads.empty() : padded))
    throw UserError("pads and auto_pad exclude each other");

  Window window;
  window.rank = rank;
  for (std::size_t i = 0; i < rank; ++i) {
    Axis& axis = window.axes[window_axes - rank + i];
    axis = {spatial[i], kernel[i], strides[i], dilations[i], pads[i], pads[rank + i], 0};
    if (axis.input < 0 || axis.input > largest_length)
      throw UserError(fmt::format("an axis has {} places, expected 0 to {}", axis.input, largest_length));
    if (same)
      pad_to_same(axis, attributes.auto_pad);
    else
      // Of "valid" the standard's text gives one formula, in both modes that of whole windows.
      count_outputs(axis, attributes.ceil_mode && attributes.auto_pad == AutoPad::none);
  }
  checked_size(std::array{window.axes[0].input, window.axes[1].input, window.axes[2].input}, "an input");
  checked_size(std::array{window.axes[0].output, window.axes[1].output, window.axes[2].output}, "an output");
  checked_size(std::array{window.axes[0].kernel, window.axes[1].kernel, window.axes[2].kernel}, "a kernel");
  return window;
}

}  // namespace attention::convolutional
