#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ladder/mechanism.hpp"
#include "ladder/tensor_fields.hpp"
#include "tensor/tensor.hpp"

/// What the four gates and poolings of this chapter share: the feature maps that they are given.
namespace attention::convolutional {

using tensor::Index;
using tensor::Tensor;
using tensor::TensorOf;

/// The activations of a layer, for some images: `channels` maps of height × width each, one map after the other (NCHW).
/// Any sizes of 1 and more.
struct FeatureMaps {
  Tensor<4> input;  ///< [batch, channels, height, width]

  Index batch() const { return tensor::extent(input, 0); }
  Index channels() const { return tensor::extent(input, 1); }
  Index height() const { return tensor::extent(input, 2); }
  Index width() const { return tensor::extent(input, 3); }
  Index places() const { return height() * width(); }
  /// Floats of one image.
  Index image_size() const { return channels() * places(); }

  /// First place of one image: channels maps of places floats each.
  const float* image_of(Index b) const { return input.data() + b * image_size(); }
  const float* map_of(Index b, Index c) const { return input.data() + (b * channels() + c) * places(); }
};

/// Feature maps with one factor a channel: what squeeze-and-excitation and efficient channel attention give.
template <class Real>
struct GatedMapsOf {
  TensorOf<Real, 4> output;  ///< [batch, channels, height, width]: input times gate
  TensorOf<Real, 2> gate;    ///< [batch, channels], from 0 to 1

  Real* map_of(Index b, Index c) {
    return output.data() + (b * tensor::extent(output, 1) + c) * tensor::extent(output, 2) * tensor::extent(output, 3);
  }
  Real* gate_of(Index b) { return gate.data() + b * tensor::extent(gate, 1); }
};
using GatedMaps = GatedMapsOf<float>;

/// The size of the output for `maps`. Storage that fits already is kept.
void prepare(const FeatureMaps& maps, GatedMaps& output);

/// 1/(1 + e^−z). Written so that no z gives NaN: where e^−z is infinite the quotient is 0.
template <class Real>
Real sigmoid(Real z) {
  return 1 / (1 + std::exp(-z));
}

/// max(0, z), and NaN for NaN (std::max would make it 0).
template <class Real>
Real relu(Real z) {
  return z < 0 ? Real{0} : z;
}

/// Maps [batch, channels, height, width] of the shape's sizes with normal entries. Hard ones: entries × 1e4 (the gates
/// saturate), a constant (the same everywhere), a last place 1000 times the others, signed zeros and tiny values.
Tensor<4> make_maps(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// Only these images, in this order.
Tensor<4> take_images(const Tensor<4>& maps, std::span<const Index> images);

/// Bytes between memory and the caches that nobody can avoid who reads maps to compute a gate from all of an image, and then
/// multiplies them: every image is read and written once. What of it does not fit in the last-level cache must be read again.
double gated_bytes(const FeatureMaps& maps);
/// The same for the way back: maps and the output's gradient are read, the maps' gradient is written; the gradient of
/// the output is needed again once all of an image has been seen.
double gated_backward_bytes(const FeatureMaps& maps);

/// How far a sigmoid may be off where its argument is: the slope at the argument, which over a distance δ grows by e^δ at
/// most and never beyond 1/4, times the distance; then the roundings of e^z, of the sum and of the division.
double sigmoid_error(double largest_slope, double argument_error);

/// A sum in float64 that remembers how large it became: rounding in float32 is in proportion to that.
struct WatchedSum {
  double value = 0;
  double largest = 0;  ///< |partial sum|
  double squares = 0;

  void add(double term) {
    value += term;
    largest = std::max(largest, std::abs(value));
    squares += term * term;
  }
  /// The largest |partial sum|, at least the root of the terms' squares (another order of the terms has other partial sums);
  /// 0 where that is not finite.
  double extent() const { return std::isfinite(squares) ? std::max(largest, std::sqrt(squares)) : 0; }
};

/// Largest root of a row's sum of squares, of the finite ones: by how much at most the row's scalar product grows independent errors.
double largest_row_norm(const Tensor<2>& matrix);
/// Likewise of its columns: for the transposed matrix, through which a gradient goes back.
double largest_column_norm(const Tensor<2>& matrix);

/// A tensor as a field of an answer: [1, batch, the rest].
template <class Tensor>
ladder::Field image_field(std::string name, const Tensor& t) {
  const Index images = tensor::extent(t, 0);
  return ladder::field(std::move(name), t, 1, images, static_cast<Index>(t.size()) / std::max<Index>(images, 1));
}
template <class Tensor>
ladder::ReferenceField image_reference(std::string name, const Tensor& t, double bound) {
  const Index images = tensor::extent(t, 0);
  return ladder::reference_field(std::move(name), t, 1, images, static_cast<Index>(t.size()) / std::max<Index>(images, 1), bound);
}
/// A tensor that belongs to all images together, such as the gradient of weights.
template <class Tensor>
ladder::Field whole_field(std::string name, const Tensor& t) {
  return ladder::field(std::move(name), t, 1, 1, static_cast<Index>(t.size()));
}
template <class Tensor>
ladder::ReferenceField whole_reference(std::string name, const Tensor& t, double bound) {
  return ladder::reference_field(std::move(name), t, 1, 1, static_cast<Index>(t.size()), bound);
}

/// The gradient of an output, normal entries in the maps' shape.
Tensor<4> make_output_gradient(const FeatureMaps& maps, std::uint64_t seed);

/// Gives `gradient` the shape of what it is the gradient of. Storage that fits already is kept.
template <class Gradient, class Tensor>
void fit_gradient(Gradient& gradient, const Tensor& of) {
  if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = Gradient(of.shape());
}

/// A float64 tensor rounded to float32.
template <std::size_t Rank>
Tensor<Rank> rounded(const TensorOf<double, Rank>& from) {
  Tensor<Rank> to(from.shape());
  std::transform(from.begin(), from.end(), to.begin(), [](double x) { return static_cast<float>(x); });
  return to;
}
/// A float32 tensor in float64.
template <std::size_t Rank>
TensorOf<double, Rank> widened(const Tensor<Rank>& from) {
  TensorOf<double, Rank> to(from.shape());
  std::copy(from.begin(), from.end(), to.begin());
  return to;
}

/// The four sizes of maps, as keys of a shape.
std::vector<ladder::ShapeKey> map_keys();
std::vector<std::pair<std::string, Index>> map_sizes(const FeatureMaps& maps);
/// Numbers in maps of this shape.
double map_elements(const ladder::Shape& shape);

/// Throws UserError where `found`, a length of the file for `tensor`, is not `wanted`, that of `of`.
void require_equal(const char* tensor, const char* axis, Index found, const char* of, Index wanted);

/// The gradient of an output, the last of the inputs: [height, width] up to [batch, channels, height, width]. Throws UserError where it is
/// not as large as `like`.
Tensor<4> output_gradient_of(const ladder::Inputs& inputs, const Tensor<4>& like);

}  // namespace attention::convolutional
