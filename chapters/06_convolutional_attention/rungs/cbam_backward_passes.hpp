#pragma once

#include <omp.h>

#include <algorithm>

#include "convolution_backward.hpp"
#include "rungs/cbam_backward_gates.hpp"

/// The passes that the way back through CBAM makes over the whole batch, in plain loops.
namespace attention::convolutional {

/// dT of all images as the gradient of a convolution's output, the pools being its input.
inline ConvolutionBackwardProblem spatial_convolution(const CbamBackwardProblem& p) {
  const auto kernel = static_cast<std::size_t>(p.kernel());
  ConvolutionBackwardProblem spatial;
  spatial.input = p.kept.pooled;
  spatial.weight = tensor::empty<4>({1, 2, kernel, kernel});
  spatial.bias = tensor::empty<1>({1});
  spatial.output_gradient = tensor::empty<4>({p.input.shape()[0], 1, p.input.shape()[2], p.input.shape()[3]});
  std::copy_n(p.spatial_weight.data(), p.spatial_weight.size(), spatial.weight.data());
  spatial.bias.fill(0);
  return spatial;
}

/// dT of one image: the channels pass one after the other, the places side by side.
inline void spatial_argument_gradient(const CbamBackwardProblem& p, Index b, float* dT) {
  const float* gate = p.kept.spatial_gate.data() + b * p.places();
  std::fill_n(dT, p.places(), 0.F);
  for (Index c = 0; c < p.channels(); ++c) {
    const float channel_gate = p.kept.channel_gate.data()[b * p.channels() + c];
    const float* gradient = p.gradient_of(b, c);
    const float* x = p.map_of(b, c);
    for (Index i = 0; i < p.places(); ++i) dT[i] += channel_gate * (gradient[i] * x[i]);
  }
  for (Index i = 0; i < p.places(); ++i) dT[i] *= gate[i] * (1 - gate[i]);
}

/// One place of dF′, from the gradients of an image's two pools.
struct GatedGradient {
  const float* spatial_gate;
  const float* gradient;
  const float* of_mean;
  const float* of_largest;
  const std::int32_t* largest_channel;
  std::int32_t channel;
  float share;  ///< 1 / C

  GatedGradient(const CbamBackwardProblem& p, const float* pools, Index b, Index c)
      : spatial_gate(p.kept.spatial_gate.data() + b * p.places()),
        gradient(p.gradient_of(b, c)),
        of_mean(pools + 2 * b * p.places()),
        of_largest(of_mean + p.places()),
        largest_channel(p.kept.largest_channel.data() + b * p.places()),
        channel(static_cast<std::int32_t>(c)),
        share(1 / static_cast<float>(p.channels())) {}

  float at(Index i) const {
    return spatial_gate[i] * gradient[i] + share * of_mean[i] + (largest_channel[i] == channel ? of_largest[i] : 0);
  }
};

/// All dT, the convolution's way back, all channels' gates, all maps. `convolve` is a rung of the convolution's
/// backward ladder.
inline void cbam_backward_in_passes(const CbamBackwardProblem& p, CbamBackwardOutput& out, bool parallel,
                                    void (*convolve)(const ConvolutionBackwardProblem&, ConvolutionBackwardOutput&)) {
  prepare(p, out);
  const Index channels = p.channels();
  const Index places = p.places();
  const Index maps = p.batch() * channels;
  ConvolutionBackwardProblem spatial = spatial_convolution(p);
  ConvolutionBackwardOutput convolved;
#pragma omp parallel for schedule(static) if (parallel)
  for (Index b = 0; b < p.batch(); ++b) spatial_argument_gradient(p, b, spatial.output_gradient.data() + b * places);
  convolve(spatial, convolved);
  std::copy_n(convolved.weight_gradient.data(), convolved.weight_gradient.size(), out.spatial_weight.data());

  CbamBackwardGates gates(p);
  tensor::UnsetBuffer gate_gradient(static_cast<std::size_t>(maps));
  tensor::UnsetBuffer of_places(gate_gradient.size());
  tensor::UnsetBuffer of_largest(gate_gradient.size());
  const float* pools = convolved.input_gradient.data();
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m) {
      const GatedGradient gated(p, pools, m / channels, m % channels);
      const float* x = p.input.data() + m * places;
      float sum = 0;
      for (Index i = 0; i < places; ++i) sum += gated.at(i) * x[i];
      gate_gradient.data()[m] = sum;
    }
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      gates(b, gate_gradient.data() + b * channels, of_places.data() + b * channels, of_largest.data() + b * channels);
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m) {
      const GatedGradient gated(p, pools, m / channels, m % channels);
      float* to = out.input.data() + m * places;
      for (Index i = 0; i < places; ++i) to[i] = p.kept.channel_gate.data()[m] * gated.at(i) + of_places.data()[m];
      to[p.kept.largest_place.data()[m]] += of_largest.data()[m];
    }
  }
  gates.finish(parallel, out);
}

}  // namespace attention::convolutional
