#include "attention_module.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/convolution.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/normalisation.hpp"
#include "autograd/reductions.hpp"
#include "autograd/softmax.hpp"
#include "efficient_channel.hpp"

namespace attention::convolutional {

namespace {

using autograd::Right;
using tensor::Shape;

/// The four lengths of a map.
template <class Real>
struct Extents {
  std::size_t batch, height, width, channels;
  explicit Extents(const Variable<Real>& x) : batch(size(x.extent(0))), height(size(x.extent(1))), width(size(x.extent(2))), channels(size(x.extent(3))) {}
  std::size_t places() const { return height * width; }
};

/// [batch, places, channels]
template <class Real>
Variable<Real> as_places(const Variable<Real>& x) {
  const Extents<Real> e(x);
  return autograd::reshape(x, {e.batch, e.places(), e.channels});
}

}  // namespace

std::string name_of(ModuleKind kind) {
  switch (kind) {
    case ModuleKind::none: return "plain";
    case ModuleKind::squeeze_excitation: return "se";
    case ModuleKind::efficient_channel: return "eca";
    case ModuleKind::cbam: return "cbam";
    case ModuleKind::bam: return "bam";
    case ModuleKind::coordinate: return "coordinate";
    case ModuleKind::non_local: return "nonlocal";
  }
  throw std::invalid_argument("no such module");
}

template <class Real>
Parameter<Real> convolution_kernel(Index height, Index width, Index in, Index out, numerics::Random& random) {
  Parameter<Real> kernel{tensor::empty_array<Real>({size(height), size(width), size(in), size(out)})};
  const auto deviation = static_cast<float>(std::sqrt(2 / static_cast<double>(height * width * in)));
  for (Real& w : kernel.value) w = static_cast<Real>(deviation * random.normal());
  return kernel;
}

template <class Real>
AttentionModule<Real>::AttentionModule(ModuleKind kind, Index channels, Index reduction, numerics::Random& random) : kind_(kind), channels_(channels) {
  const Index few = std::max<Index>(4, channels / reduction);
  const auto zeros = [](Index n) { return autograd::constant_parameter<Real>({size(n)}, 0); };
  switch (kind) {
    case ModuleKind::none: break;
    case ModuleKind::cbam:
      kernel_ = convolution_kernel<Real>(7, 7, 2, 1, random);
      kernel_scale_ = autograd::constant_parameter<Real>({1}, 1);
      kernel_shift_ = zeros(1);
      [[fallthrough]];
    case ModuleKind::squeeze_excitation:
      narrow_ = Linear<Real>(channels, few, random);
      widen_ = Linear<Real>(few, channels, random);
      break;
    case ModuleKind::efficient_channel: kernel_ = convolution_kernel<Real>(1, efficient_channel_kernel(channels), 1, 1, random); break;
    case ModuleKind::bam:
      narrow_ = Linear<Real>(channels, few, random);
      widen_ = Linear<Real>(few, channels, random);
      places_in_ = Linear<Real>(channels, few, random);
      places_first_ = convolution_kernel<Real>(3, 3, few, few, random);
      places_second_ = convolution_kernel<Real>(3, 3, few, few, random);
      places_first_bias_ = zeros(few);
      places_second_bias_ = zeros(few);
      places_out_ = Linear<Real>(few, 1, random);
      break;
    case ModuleKind::coordinate:
      narrow_ = Linear<Real>(channels, std::max<Index>(8, few), random);
      widen_ = Linear<Real>(std::max<Index>(8, few), channels, random);
      widen_columns_ = Linear<Real>(std::max<Index>(8, few), channels, random);
      break;
    case ModuleKind::non_local:
      theta_ = Linear<Real>(channels, channels / 2, random, false);
      phi_ = Linear<Real>(channels, channels / 2, random, false);
      g_ = Linear<Real>(channels, channels / 2, random, false);
      w_z_ = Linear<Real>(channels / 2, channels, random, false);
      std::ranges::fill(w_z_.weights.value, Real{0});
      break;
  }
}

template <class Real>
void AttentionModule<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  const auto layer = [&](const char* part, Linear<Real>& linear) {
    if (linear.weights.value.dimension() != 0) linear.collect(name + "." + part, list);
  };
  const auto one = [&](const char* part, Parameter<Real>& parameter) {
    if (parameter.value.dimension() != 0) list.push_back({name + "." + part, &parameter});
  };
  layer("narrow", narrow_);
  layer("widen", widen_);
  layer("widen_columns", widen_columns_);
  one("kernel", kernel_);
  one("kernel_scale", kernel_scale_);
  one("kernel_shift", kernel_shift_);
  layer("places_in", places_in_);
  one("places_first", places_first_);
  one("places_first_bias", places_first_bias_);
  one("places_second", places_second_);
  one("places_second_bias", places_second_bias_);
  layer("places_out", places_out_);
  layer("theta", theta_);
  layer("phi", phi_);
  layer("g", g_);
  layer("w_z", w_z_);
}

template <class Real>
Attended<Real> AttentionModule<Real>::operator()(const Variable<Real>& x) const {
  switch (kind_) {
    case ModuleKind::none: return {x, {}, {}, {}};
    case ModuleKind::squeeze_excitation: return gate_by_channels(x, channel_scores(autograd::mean(as_places(x), 1)));
    case ModuleKind::efficient_channel: return efficient(x);
    case ModuleKind::cbam: return cbam(x);
    case ModuleKind::bam: return bam(x);
    case ModuleKind::coordinate: return coordinate(x);
    case ModuleKind::non_local: return non_local(x);
  }
  throw std::invalid_argument("no such module");
}

template <class Real>
Attended<Real> AttentionModule<Real>::gate_by_channels(const Variable<Real>& x, const Variable<Real>& scores) const {
  const Variable<Real> gates = autograd::sigmoid(scores);
  return {x * autograd::reshape(gates, {size(x.extent(0)), 1, 1, size(channels_)}), gates, {}, {}};
}

/// [batch, channels] to [batch, channels]
template <class Real>
Variable<Real> AttentionModule<Real>::channel_scores(const Variable<Real>& pooled) const {
  return widen_(autograd::relu(narrow_(pooled)));
}

template <class Real>
Attended<Real> AttentionModule<Real>::efficient(const Variable<Real>& x) const {
  const Variable<Real> pooled = autograd::reshape(autograd::mean(as_places(x), 1), {size(x.extent(0)), 1, size(channels_), 1});
  const Variable<Real> scores = autograd::convolution(pooled, x.tape().parameter(kernel_));
  return gate_by_channels(x, autograd::reshape(scores, {size(x.extent(0)), size(channels_)}));
}

template <class Real>
Attended<Real> AttentionModule<Real>::cbam(const Variable<Real>& x) const {
  const Extents<Real> e(x);
  const Variable<Real> places = as_places(x);
  const Attended<Real> by_channels = gate_by_channels(x, channel_scores(autograd::mean(places, 1)) + channel_scores(autograd::largest(places, 1)));
  const Variable<Real>& gated = by_channels.output;
  const Shape plane{e.batch, e.height, e.width, 1};
  const Variable<Real> pooled =
      autograd::concatenate(std::vector{autograd::reshape(autograd::mean(gated, 3), plane), autograd::reshape(autograd::largest(gated, 3), plane)}, 3);
  Tape<Real>& tape = x.tape();
  const Variable<Real> scores =
      autograd::group_norm(autograd::convolution(pooled, tape.parameter(kernel_)), tape.parameter(kernel_scale_), tape.parameter(kernel_shift_), 1);
  const Variable<Real> gates = autograd::sigmoid(scores);
  return {gated * gates, by_channels.channel_gates, autograd::reshape(gates, {e.batch, e.height, e.width}), {}};
}

template <class Real>
Attended<Real> AttentionModule<Real>::bam(const Variable<Real>& x) const {
  const Extents<Real> e(x);
  Tape<Real>& tape = x.tape();
  const Variable<Real> of_channels = channel_scores(autograd::mean(as_places(x), 1));
  constexpr Index dilation = 4;
  Variable<Real> inner = autograd::relu(places_in_(x));
  inner = autograd::relu(autograd::convolution(inner, tape.parameter(places_first_), dilation) + tape.parameter(places_first_bias_));
  inner = autograd::relu(autograd::convolution(inner, tape.parameter(places_second_), dilation) + tape.parameter(places_second_bias_));
  const Variable<Real> of_places = places_out_(inner);
  const Variable<Real> gates = autograd::sigmoid(autograd::reshape(of_channels, {e.batch, 1, 1, e.channels}) + of_places);
  return {x + x * gates, autograd::sigmoid(of_channels), autograd::reshape(autograd::sigmoid(of_places), {e.batch, e.height, e.width}), {}};
}

template <class Real>
Attended<Real> AttentionModule<Real>::coordinate(const Variable<Real>& x) const {
  const Extents<Real> e(x);
  const Variable<Real> rows = autograd::mean(x, 2), columns = autograd::mean(x, 1);
  const Variable<Real> inner = autograd::hard_swish(narrow_(autograd::concatenate(std::vector{rows, columns}, 1)));
  const auto height = static_cast<Index>(e.height), both = height + static_cast<Index>(e.width);
  const Variable<Real> of_rows = autograd::sigmoid(widen_(autograd::slice(inner, 1, 0, height)));
  const Variable<Real> of_columns = autograd::sigmoid(widen_columns_(autograd::slice(inner, 1, height, both)));
  const Variable<Real> output =
      x * autograd::reshape(of_rows, {e.batch, e.height, 1, e.channels}) * autograd::reshape(of_columns, {e.batch, 1, e.width, e.channels});
  const Variable<Real> seen = autograd::reshape(autograd::mean(of_rows, 2), {e.batch, e.height, 1}) * autograd::reshape(autograd::mean(of_columns, 2), {e.batch, 1, e.width});
  return {output, {}, seen, {}};
}

template <class Real>
Attended<Real> AttentionModule<Real>::non_local(const Variable<Real>& x) const {
  const Variable<Real> places = as_places(x);
  const Variable<Real> weights = autograd::softmax(autograd::matmul(theta_(places), phi_(places), Right::transposed));
  const Variable<Real> y = w_z_(autograd::matmul(weights, g_(places)));
  return {x + autograd::reshape(y, x.shape()), {}, {}, weights};
}

template class AttentionModule<float>;
template class AttentionModule<double>;
template Parameter<float> convolution_kernel(Index, Index, Index, Index, numerics::Random&);
template Parameter<double> convolution_kernel(Index, Index, Index, Index, numerics::Random&);

}  // namespace attention::convolutional
