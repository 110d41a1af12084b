#pragma once

#include <omp.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "cbam.hpp"
#include "convolution.hpp"
#include "rungs/map.hpp"

/// The passes that CBAM makes, for the rungs that make each of them over the whole batch before the next begins.
namespace attention::convolutional {

/// W₁ (max(0, W₀ a) + max(0, W₀ m)), which is the sum of the two products of equation 2, through σ. `product(a, b, n)` is a · b.
template <class Product>
void cbam_channel_gates(const CbamProblem& p, const float* mean, const float* largest, Product product, float* gate) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  tensor::Buffer unit(static_cast<std::size_t>(hidden));
  for (Index j = 0; j < hidden; ++j) {
    const float* row = p.reduce_weight.data() + j * channels;
    unit[static_cast<std::size_t>(j)] = relu(product(row, mean, channels)) + relu(product(row, largest, channels));
  }
  for (Index c = 0; c < channels; ++c) gate[c] = sigmoid(product(p.expand_weight.data() + c * hidden, unit.data(), hidden));
}

/// The pools of all images, and the convolution of those over the channels, as the convolution's ladder takes it.
struct CbamPools {
  tensor::Buffer mean;         ///< [batch, channels], over the places
  tensor::Buffer largest;      ///< [batch, channels]
  ConvolutionProblem spatial;  ///< its input [batch, 2, height, width]: mean and maximum over the channels
  ConvolutionOutput convolved;

  explicit CbamPools(const CbamProblem& p)
      : mean(static_cast<std::size_t>(p.batch() * p.channels())), largest(mean.size()) {
    const auto& shape = p.input.shape();
    const auto kernel = static_cast<std::size_t>(p.kernel());
    spatial.input = tensor::empty<4>({shape[0], 2, shape[2], shape[3]});
    spatial.weight = tensor::empty<4>({1, 2, kernel, kernel});
    spatial.bias = tensor::empty<1>({1});
    std::copy_n(p.spatial_weight.data(), p.spatial_weight.size(), spatial.weight.data());
    spatial.bias.fill(0);
  }
  float* mean_of(Index b) { return spatial.input.data() + 2 * b * spatial.pixels(); }
  float* largest_of(Index b) { return mean_of(b) + spatial.pixels(); }
};

/// All pools over places, all channel gates, all pools over channels, all convolutions, all products. `Parts` says how each part
/// is done; `convolve` is a rung of the convolution's ladder.
template <class Parts>
void cbam_in_passes(const CbamProblem& p, CbamOutput& out, bool parallel, void (*convolve)(const ConvolutionProblem&, ConvolutionOutput&)) {
  prepare(p, out);
  CbamPools pools(p);
  const Index channels = p.channels();
  const Index places = p.places();
  const Index maps = p.batch() * channels;
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m) {
      const SumAndMaximum of = Parts::over_places(p.input.data() + m * places, places);
      pools.mean[static_cast<std::size_t>(m)] = of.sum / static_cast<float>(places);
      pools.largest[static_cast<std::size_t>(m)] = of.maximum;
    }
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      const Index first = b * channels;
      cbam_channel_gates(p, pools.mean.data() + first, pools.largest.data() + first, Parts::product, out.channel_gate_of(b));
      Parts::over_channels(p, b, out.channel_gate_of(b), pools.mean_of(b), pools.largest_of(b));
    }
  }
  convolve(pools.spatial, pools.convolved);
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) Parts::sigmoids(pools.convolved.plane_of(b, 0), places, out.spatial_gate_of(b));
#pragma omp for schedule(static)
    for (Index m = 0; m < maps; ++m)
      Parts::multiply(p.input.data() + m * places, places, out.channel_gate.data()[m], out.spatial_gate_of(m / channels),
                      out.output.data() + m * places);
  }
}

/// The parts in plain loops.
struct CbamPlain {
  static SumAndMaximum over_places(const float* x, Index n) {
    SumAndMaximum of{0, -std::numeric_limits<float>::infinity()};
    for (Index i = 0; i < n; ++i) {
      of.sum += x[i];
      of.maximum = std::max(of.maximum, x[i]);
    }
    return of;
  }
  static float product(const float* a, const float* b, Index n) {
    float sum = 0;
    for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
  static void over_channels(const CbamProblem& p, Index b, const float* gate, float* mean, float* largest) {
    const Index places = p.places();
    std::fill_n(mean, places, 0.F);
    std::fill_n(largest, places, -std::numeric_limits<float>::infinity());
    for (Index c = 0; c < p.channels(); ++c) {
      const float* x = p.map_of(b, c);
      for (Index i = 0; i < places; ++i) {
        mean[i] += gate[c] * x[i];
        largest[i] = std::max(largest[i], gate[c] * x[i]);
      }
    }
    for (Index i = 0; i < places; ++i) mean[i] /= static_cast<float>(p.channels());
  }
  static void sigmoids(const float* z, Index n, float* to) {
    for (Index i = 0; i < n; ++i) to[i] = sigmoid(z[i]);
  }
  static void multiply(const float* x, Index n, float channel_gate, const float* spatial_gate, float* to) {
    for (Index i = 0; i < n; ++i) to[i] = channel_gate * spatial_gate[i] * x[i];
  }
};

}  // namespace attention::convolutional
