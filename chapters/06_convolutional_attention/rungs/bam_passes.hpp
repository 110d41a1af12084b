#pragma once

#include <omp.h>

#include <algorithm>
#include <utility>

#include "bam.hpp"
#include "convolution.hpp"
#include "rungs/channel_gate.hpp"
#include "rungs/map.hpp"

/// The passes that the bottleneck attention module makes, for the rungs that make each of them over the whole batch before the next
/// begins.
namespace attention::convolutional {

/// M_c = W₁ max(0, W₀ a + b₀) + b₁ of one image. `product(a, b, n)` is a · b.
template <class Product>
void bam_channel_branch(const BamProblem& p, const float* mean, Product product, float* branch) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  tensor::Buffer unit(static_cast<std::size_t>(hidden));
  for (Index j = 0; j < hidden; ++j)
    unit[static_cast<std::size_t>(j)] = relu(product(p.reduce_weight.data() + j * channels, mean, channels) + p.reduce_bias.data()[j]);
  for (Index c = 0; c < channels; ++c)
    branch[c] = product(p.expand_weight.data() + c * hidden, unit.data(), hidden) + p.expand_bias.data()[c];
}

/// The inner maps of all images, as the convolution's ladder takes them.
struct BamMaps {
  tensor::Buffer mean;          ///< [batch, channels]
  ConvolutionProblem first;     ///< f₁; its input [batch, hidden, height, width]
  ConvolutionProblem second;    ///< f₂
  ConvolutionOutput convolved;

  explicit BamMaps(const BamProblem& p) : mean(static_cast<std::size_t>(p.batch() * p.channels())) {
    const auto& shape = p.input.shape();
    first = {tensor::empty<4>({shape[0], static_cast<std::size_t>(p.hidden()), shape[2], shape[3]}), p.spatial[1].weight,
             p.spatial[1].bias, p.dilation};
    second = {{}, p.spatial[2].weight, p.spatial[2].bias, p.dilation};
  }
};

/// All means, all channel branches, f₀ to f₃ one after the other, all products. `Parts` says how each part is done; `convolve` is a
/// rung of the convolution's ladder. F is read three times.
template <class Parts>
void bam_in_passes(const BamProblem& p, BamOutput& out, bool parallel, void (*convolve)(const ConvolutionProblem&, ConvolutionOutput&)) {
  prepare(p, out);
  BamMaps maps(p);
  const Index channels = p.channels();
  const Index places = p.places();
  const Index inner = p.hidden() * places;
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index m = 0; m < p.batch() * channels; ++m)
      maps.mean[static_cast<std::size_t>(m)] = Parts::sum(p.input.data() + m * places, places) / static_cast<float>(places);
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      bam_channel_branch(p, maps.mean.data() + b * channels, Parts::product, out.channel_branch_of(b));
      float* to = maps.first.input.data() + b * inner;
      Parts::mix(p.spatial[0], p.image_of(b), places, to);
      Parts::rectify(to, inner);
    }
  }
  convolve(maps.first, maps.convolved);
  std::swap(maps.second.input, maps.convolved.output);
#pragma omp parallel for schedule(static) if (parallel)
  for (Index b = 0; b < p.batch(); ++b) Parts::rectify(maps.second.input.data() + b * inner, inner);
  convolve(maps.second, maps.convolved);
#pragma omp parallel if (parallel)
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      Parts::rectify(maps.convolved.plane_of(b, 0), inner);
      Parts::mix(p.spatial[3], maps.convolved.plane_of(b, 0), places, out.spatial_branch_of(b));
    }
#pragma omp for schedule(static)
    for (Index m = 0; m < p.batch() * channels; ++m)
      Parts::multiply(p.input.data() + m * places, places, out.channel_branch.data()[m], out.spatial_branch_of(m / channels),
                      out.output.data() + m * places);
  }
}

/// The parts in plain loops.
struct BamPlain {
  static float sum(const float* x, Index n) { return plain_sum(x, n); }
  static float product(const float* a, const float* b, Index n) {
    float sum = 0;
    for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
  /// A layer with a kernel of 1 × 1.
  static void mix(const BamLayer& layer, const float* maps, Index places, float* to) {
    for (Index o = 0; o < layer.outputs(); ++o) {
      float* map = to + o * places;
      std::fill_n(map, places, layer.bias.data()[o]);
      for (Index c = 0; c < layer.inputs(); ++c) {
        const float w = layer.weight.data()[o * layer.inputs() + c];
        for (Index i = 0; i < places; ++i) map[i] += w * maps[c * places + i];
      }
    }
  }
  static void rectify(float* x, Index n) {
    for (Index i = 0; i < n; ++i) x[i] = relu(x[i]);
  }
  static void multiply(const float* x, Index n, float channel, const float* spatial, float* to) {
    for (Index i = 0; i < n; ++i) to[i] = (1 + sigmoid(channel + spatial[i])) * x[i];
  }
};

}  // namespace attention::convolutional
