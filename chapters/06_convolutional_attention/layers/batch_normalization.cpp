#include "layers/batch_normalization.hpp"

#include <cmath>

namespace attention::convolutional {

namespace {

/// One channel's plane in each image: (x − mean) · factor + bias. Not gathered into one slope: where x is near a large mean, that
/// would lose what is left of it.
void normalize_plane(const BatchNormalization& layer, Index b, Index c, double mean, double variance, const ChannelParameters& p,
                     const float* input, float* output) {
  const double factor = static_cast<double>(p.scale[c]) / std::sqrt(variance + layer.epsilon);
  const auto bias = static_cast<double>(p.bias[c]);
  const Index first = (b * layer.channels + c) * layer.places;
  for (Index i = first; i < first + layer.places; ++i)
    output[i] = static_cast<float>((static_cast<double>(input[i]) - mean) * factor + bias);
}

}  // namespace

void batch_normalize(const BatchNormalization& layer, const ChannelParameters& p, const float* input, float* output) {
#pragma omp parallel for collapse(2) schedule(static)
  for (Index b = 0; b < layer.batch; ++b)
    for (Index c = 0; c < layer.channels; ++c)
      normalize_plane(layer, b, c, static_cast<double>(p.mean[c]), static_cast<double>(p.variance[c]), p, input, output);
}

void batch_normalize_training(const BatchNormalization& layer, const ChannelParameters& p, double momentum, const float* input,
                              float* output, float* running_mean, float* running_variance) {
  const auto count = static_cast<double>(layer.batch) * static_cast<double>(layer.places);
#pragma omp parallel for schedule(static)
  for (Index c = 0; c < layer.channels; ++c) {
    const auto sum = [&](auto term) {
      double total = 0;
      for (Index b = 0; b < layer.batch; ++b) {
        const float* plane = input + (b * layer.channels + c) * layer.places;
        for (Index i = 0; i < layer.places; ++i) total += term(static_cast<double>(plane[i]));
      }
      return total;
    };
    const double mean = sum([](double x) { return x; }) / count;
    const double variance = sum([mean](double x) { return (x - mean) * (x - mean); }) / count;
    const auto blended = [momentum](float before, double now) {
      return static_cast<float>(momentum * static_cast<double>(before) + (1 - momentum) * now);
    };
    for (Index b = 0; b < layer.batch; ++b) normalize_plane(layer, b, c, mean, variance, p, input, output);
    running_mean[c] = blended(p.mean[c], mean);
    running_variance[c] = blended(p.variance[c], variance);
  }
}

}  // namespace attention::convolutional
