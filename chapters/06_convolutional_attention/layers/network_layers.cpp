// A network's layers over maps [batch, channels, spatial …].
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "layers/batch_normalization.hpp"
#include "layers/convolution_layer.hpp"
#include "layers/network_operators.hpp"
#include "layers/pooling.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

namespace {

using program::UserError;

WindowAttributes window_attributes(const NodeAttributes& attributes) {
  WindowAttributes window{attributes.integers("kernel_shape"), attributes.integers("strides"), attributes.integers("dilations"), attributes.integers("pads")};
  window.ceil_mode = attributes.integer("ceil_mode", 0) != 0;
  const std::string how = attributes.text("auto_pad", "NOTSET");
  if (how != "NOTSET") throw UserError("its attribute auto_pad is known here as NOTSET only");
  return window;
}

/// A map of floats with at least one place axis, and room for as many outputs.
const Value& map_of(const Value* value) {
  if (value->whole || value->rank() < 3) throw UserError("expected a map of floats over batch, channels and places");
  return *value;
}

Value room_for(std::vector<Index> shape) {
  // What a machine computes in a moment; more is a fault of the model.
  constexpr Index most = Index{1} << 28;
  const Index size = checked_size(shape, "a value");
  if (size > most) throw UserError(fmt::format("a value of shape ({}) has too many numbers", fmt::join(shape, ", ")));
  return {std::move(shape), false, std::vector<float>(static_cast<std::size_t>(size)), {}};
}

/// Floats of a tensor with one number a channel.
const float* by_channel(const Value* value, Index channels) {
  if (value->whole || value->shape != std::vector<Index>{channels}) throw UserError(fmt::format("expected {} floats, one a channel", channels));
  return value->floats.data();
}

}  // namespace

Value run_convolution(Inputs inputs, const NodeAttributes& attributes) {
  const Value& x = map_of(inputs[0]);
  const Value& w = map_of(inputs[1]);
  const ConvolutionLayer layer = convolution_layer(x.shape, w.shape, window_attributes(attributes), attributes.integer("group", 1));
  Value y = room_for(layer.output_shape());
  convolve(layer, x.floats.data(), w.floats.data(), inputs[2] ? by_channel(inputs[2], layer.out_channels) : nullptr, y.floats.data());
  return y;
}

Value run_batch_normalization(Inputs inputs, const NodeAttributes& attributes) {
  const Value& x = map_of(inputs[0]);
  BatchNormalization layer{x.shape[0], x.shape[1], 1, attributes.real("epsilon", 1e-5)};
  for (std::size_t axis = 2; axis < x.shape.size(); ++axis) layer.places *= x.shape[axis];
  const ChannelParameters parameters{by_channel(inputs[1], layer.channels), by_channel(inputs[2], layer.channels), by_channel(inputs[3], layer.channels),
                                     by_channel(inputs[4], layer.channels)};
  Value y = room_for(x.shape);
  batch_normalize(layer, parameters, x.floats.data(), y.floats.data());
  return y;
}

Value run_max_pool(Inputs inputs, const NodeAttributes& attributes) {
  const Value& x = map_of(inputs[0]);
  const Window window = window_over(std::span<const Index>(x.shape).subspan(2), window_attributes(attributes));
  std::vector<Index> shape{x.shape[0], x.shape[1]};
  for (const Index length : window.output_shape()) shape.push_back(length);
  Value y = room_for(std::move(shape));
  max_pool(window, x.shape[0] * x.shape[1], x.floats.data(), y.floats.data());
  return y;
}

Value run_global_average_pool(Inputs inputs, const NodeAttributes&) {
  const Value& x = map_of(inputs[0]);
  std::vector<Index> shape(x.shape.size(), 1);
  shape[0] = x.shape[0];
  shape[1] = x.shape[1];
  Value y = room_for(std::move(shape));
  const Index planes = x.shape[0] * x.shape[1];
  global_average_pool(planes, planes == 0 ? 0 : x.size() / planes, x.floats.data(), y.floats.data());
  return y;
}

}  // namespace attention::convolutional
