// BatchNormalization, as a network is used and as it is trained.
#include "layers/batch_normalization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"

namespace attention::conformance {

namespace {

/// What float32 may lose beside the double of the layer, absolute: (x − mean) · scale / √variance + bias, of which the expected
/// numbers may have been computed as x · slope + shift. Zero where nothing is finite.
double rounding_of(const convolutional::BatchNormalization& layer, const std::vector<float>& x, const convolutional::ChannelParameters& p,
                   const float* mean, const float* variance) {
  double most = 0;
  for (Index b = 0; b < layer.batch; ++b)
    for (Index c = 0; c < layer.channels; ++c) {
      const float* plane = x.data() + (b * layer.channels + c) * layer.places;
      double largest = std::abs(static_cast<double>(mean[c]));
      for (Index i = 0; i < layer.places; ++i)
        if (std::isfinite(plane[i])) largest = std::max(largest, std::abs(static_cast<double>(plane[i])));
      const double factor = static_cast<double>(p.scale[c]) / std::sqrt(static_cast<double>(variance[c]) + layer.epsilon);
      const double size = 2 * largest * std::abs(factor) + std::abs(static_cast<double>(p.bias[c]));
      if (std::isfinite(size)) most = std::max(most, size);
    }
  return 4 * numerics::unit_roundoff * most;
}

}  // namespace

void run_batch_normalization(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& y = *given.output(0);
  for (std::size_t place = 0; place < 5; ++place) require_float(*given.input(place));
  require_same_dtype(y, x);
  require_same_dtype(*given.input(2), *given.input(1));
  require_same_dtype(*given.input(4), *given.input(3));
  require_shape(y, x.shape());
  if (x.rank() == 0) throw program::UserError("X has no dimension, expected batch and channels");
  // One dimension is the batch, of one channel.
  convolutional::BatchNormalization layer{x.extent(0), x.rank() == 1 ? 1 : x.extent(1), 1};
  for (Index axis = 2; axis < x.rank(); ++axis) layer.places *= x.extent(axis);
  for (std::size_t place = 1; place < 5; ++place) require_shape(*given.input(place), {layer.channels});

  const Attributes attributes(given.attributes);
  layer.epsilon = attributes.real("epsilon").value_or(1e-5);
  const double momentum = attributes.real("momentum").value_or(0.9);
  const bool training = attributes.integer("training_mode", 0, 0, 1) == 1;
  for (const std::size_t place : {std::size_t{1}, std::size_t{2}})
    if (const CaseTensor* output = given.output(place)) {
      if (!training) throw program::UserError("running_mean and running_var are expected, but training_mode is 0");
      require_same_dtype(*output, *given.input(3));
      require_shape(*output, {layer.channels});
    }

  std::vector<std::vector<float>> numbers;
  for (std::size_t place = 0; place < 5; ++place) numbers.push_back(given.input(place)->as_float());
  const convolutional::ChannelParameters parameters{numbers[1].data(), numbers[2].data(), numbers[3].data(), numbers[4].data()};
  std::vector<float> output(numbers[0].size());
  if (!training) {
    convolutional::batch_normalize(layer, parameters, numbers[0].data(), output.data());
    report.check("plain", y, output, rounding_of(layer, numbers[0], parameters, parameters.mean, parameters.variance));
    return;
  }
  std::vector<float> mean(numbers[3].size()), variance(numbers[3].size());
  // With momentum 0 the running numbers are the batch's own.
  convolutional::batch_normalize_training(layer, parameters, 0, numbers[0].data(), output.data(), mean.data(), variance.data());
  report.check("plain", y, output, rounding_of(layer, numbers[0], parameters, mean.data(), variance.data()));
  convolutional::batch_normalize_training(layer, parameters, momentum, numbers[0].data(), output.data(), mean.data(), variance.data());
  if (const CaseTensor* expected = given.output(1)) report.check("plain", *expected, mean);
  if (const CaseTensor* expected = given.output(2)) report.check("plain", *expected, variance);
}

}  // namespace attention::conformance
