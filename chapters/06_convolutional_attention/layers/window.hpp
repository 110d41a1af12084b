#pragma once

#include <array>
#include <span>
#include <vector>

#include "tensor/tensor.hpp"

/// Layers of convolutional networks as they are used, not trained: any stride, dilation, padding, group, over one to three axes.
/// They follow the standard ONNX (operators Conv, MaxPool, AveragePool, BatchNormalization and their kin, opset 22).
namespace attention::convolutional {

using tensor::Index;

/// How the border is chosen. `same_upper` and `same_lower`: as many outputs as ⌈input / stride⌉; where the padding is odd, the
/// greater half lies at the end, or at the beginning. `valid`: none.
enum class AutoPad { none, same_upper, same_lower, valid };

/// What a layer says of its window, axis by axis. Empty: strides and dilations of 1, no pads.
struct WindowAttributes {
  std::vector<Index> kernel;
  std::vector<Index> strides;
  std::vector<Index> dilations;
  std::vector<Index> pads;  ///< at the beginning of each axis, then at the end of each
  AutoPad auto_pad = AutoPad::none;
  bool ceil_mode = false;  ///< a last window may reach beyond the padding, but must not begin in the padding at the end
};

/// From … to, `to` not among them.
struct Range {
  Index from = 0;
  Index to = 0;
  Index size() const { return to - from; }
};

/// A window along one axis: output o's tap t is at input o · stride + t · dilation − before.
struct Axis {
  Index input = 1;
  Index kernel = 1;
  Index stride = 1;
  Index dilation = 1;
  Index before = 0;  ///< padding at the beginning
  Index after = 0;   ///< padding at the end
  Index output = 1;

  /// Where output o's tap t is; outside of 0 … input − 1 it is padding, or beyond it.
  Index at(Index o, Index t) const { return o * stride + t * dilation - before; }
  /// The taps of output o that meet the input.
  Range taps(Index o) const;
  /// How many taps of output o meet the input or its padding: fewer than all where a last window reaches beyond it.
  Index padded_taps(Index o) const;
  /// The taps of all outputs together that may meet the input.
  Range met_taps() const;
  /// The outputs whose tap t meets the input.
  Range outputs(Index t) const;
};

/// The most axes of a window.
inline constexpr std::size_t window_axes = 3;
/// The largest kernel, stride, dilation or padding along an axis. Products of two stay far below the largest Index.
inline constexpr Index largest_window = Index{1} << 20;

/// A window over three axes; where there are fewer, the first ones have one place and one tap.
struct Window {
  std::array<Axis, window_axes> axes;
  std::size_t rank = 0;  ///< axes that are meant, the last ones

  Index inputs() const { return axes[0].input * axes[1].input * axes[2].input; }
  Index outputs() const { return axes[0].output * axes[1].output * axes[2].output; }
  Index taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  /// The lengths of the axes that are meant.
  std::vector<Index> output_shape() const;
};

/// The window over an input with these spatial lengths. Throws UserError where a list has another number of entries than there
/// are axes (of 1 to 3), an entry is out of range, pads stand beside an auto_pad, the formula gives a negative number
/// of outputs, or a product of lengths is beyond 2^48.
Window window_over(std::span<const Index> spatial, const WindowAttributes& attributes);

/// The product of lengths, of which none is negative. Throws UserError where it is beyond 2^48; a length of 0 does not excuse
/// absurd ones beside it. `what` names it.
Index checked_size(std::span<const Index> lengths, const char* what);

}  // namespace attention::convolutional
