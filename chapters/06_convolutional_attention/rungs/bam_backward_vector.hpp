#pragma once

#include <cmath>

#include "rungs/bam_backward_passes.hpp"
#include "rungs/bam_vector.hpp"

/// The parts of the bottleneck attention module's backward pass by vectors.
namespace attention::convolutional {

/// One thread's. With `past_caches` dF goes to memory directly.
template <bool past_caches>
class BamBackwardVector {
 public:
  explicit BamBackwardVector(const BamProblem& f)
      : row_(f.width() + 2 * f.radius()),
        plane_((f.height() + 2 * f.radius()) * row_),
        channel_decay_(size(f.channels())),
        place_decay_(size(f.places())),
        maps_(size(f.hidden() * plane_ + simd::lanes)),
        gradients_(size(f.hidden() * plane_ + simd::lanes)) {}
  static Index floats(const BamProblem& f) {
    const Index plane = (f.height() + 2 * f.radius()) * (f.width() + 2 * f.radius());
    return f.channels() + f.places() + 2 * (f.hidden() * plane + simd::lanes);
  }

  /// e^−M_c and e^−M_s of image b: as in forward's rung 7, their product is what an element's sigmoid takes.
  void prepare_gates(const BamBackwardProblem& p, Index b) {
    if (b == prepared_) return;
    prepared_ = b;
    const BamProblem& f = p.forward;
    bam_decay(p.channel_branch.data() + b * f.channels(), f.channels(), channel_decay_.data());
    places_near_ = bam_decay(p.spatial_branch.data() + b * f.places(), f.places(), place_decay_.data());
  }

  void gather(const BamBackwardProblem& p, Index b, Index first, Index count, float* channels, float* places) const {
    const BamProblem& f = p.forward;
    std::fill_n(places, count, 0.F);
    for (Index c = 0; c < f.channels(); ++c) {
      const float* x = f.map_of(b, c) + first;
      const float* dy = p.output_gradient_of(b) + c * f.places() + first;
      const auto add = [&](auto gate) __attribute__((always_inline)) {
        simd::Float sum = {};
        for (Index i = 0; i < count; i += simd::lanes) {
          const Index some = std::min<Index>(simd::lanes, count - i);
          const simd::Float m = gate(first + i, some);
          const simd::Float gradient =
              load_up_to(dy + i, some) * load_up_to(x + i, some) * (m * (simd::broadcast(1.F) - m));
          sum += gradient;
          store_up_to(places + i, load_up_to(places + i, some) + gradient, some);
        }
        channels[c] = simd::sum(sum);
      };
      with_gates(p, b, c, add);
    }
  }

  void spread(const BamBackwardProblem& p, Index b, Index c, float mean_gradient, const float* inner,
              BamBackwardOutput& out) const {
    const BamProblem& f = p.forward;
    const Index places = f.places();
    const Index hidden = f.hidden();
    const float* dy = p.output_gradient_of(b) + c * places;
    const float* weight = f.spatial[0].weight.data() + c;
    float* dx = out.input.data() + (b * f.channels() + c) * places;
    const simd::Float mean = simd::broadcast(mean_gradient);
    const auto write = [&](auto gate) __attribute__((always_inline)) {
      const auto value = [&](Index i, Index count) __attribute__((always_inline)) {
        const simd::Float gradient = load_up_to(dy + i, count);
        simd::Float sum = mean + (gradient + gradient * gate(i, count));
        for (Index j = 0; j < hidden; ++j)
          sum += simd::broadcast(weight[j * f.channels()]) * load_up_to(inner + j * places + i, count);
        return sum;
      };
      if constexpr (past_caches) return stream_places(places, dx, value);
      for (Index i = 0; i < places; i += simd::lanes) {
        const Index count = std::min<Index>(simd::lanes, places - i);
        store_up_to(dx + i, value(i, count), count);
      }
    };
    with_gates(p, b, c, write);
  }

  /// With a border of zeros around maps and gradients, a tap is a distance in memory: each weight's gradient is one
  /// long scalar product, and the border adds nothing to it.
  void convolution_backward(const BamProblem& f, const BamLayer& layer, const float* maps, const float* gradient,
                            float* weight_gradient, float* bias_gradient, float* maps_gradient) {
    const Index places = f.places();
    const Index reach = layer.kernel() / 2;
    const Index inside = f.radius() * (row_ + 1);
    const Index run = (f.height() - 1) * row_ + f.width();
    for (Index c = 0; c < layer.inputs(); ++c)
      for (Index y = 0; y < f.height(); ++y) {
        const Index to = c * plane_ + inside + y * row_;
        std::copy_n(maps + c * places + y * f.width(), f.width(), maps_.data() + to);
        std::copy_n(gradient + c * places + y * f.width(), f.width(), gradients_.data() + to);
      }
    const auto distance = [&](Index u, Index v) { return f.dilation * ((u - reach) * row_ + v - reach); };
    Index weight = 0;
    for (Index o = 0; o < layer.outputs(); ++o) {
      bias_gradient[o] += sum(gradient + o * places, places);
      for (Index c = 0; c < layer.inputs(); ++c)
        for (Index u = 0; u < layer.kernel(); ++u)
          for (Index v = 0; v < layer.kernel(); ++v)
            weight_gradient[weight++] +=
                dot(gradients_.data() + o * plane_ + inside, maps_.data() + c * plane_ + inside + distance(u, v), run);
    }
    // The maps' own places are read no more: their gradients go there.
    for (Index c = 0; c < layer.inputs(); ++c)
      for (Index i = 0; i < run; i += simd::lanes) {
        const Index count = std::min<Index>(simd::lanes, run - i);
        simd::Float sum = {};
        for (Index o = 0; o < layer.outputs(); ++o)
          for (Index u = 0; u < layer.kernel(); ++u)
            for (Index v = 0; v < layer.kernel(); ++v)
              sum += simd::broadcast(
                         layer.weight.data()[((o * layer.inputs() + c) * layer.kernel() + u) * layer.kernel() + v]) *
                     load_up_to(gradients_.data() + o * plane_ + inside + i - distance(u, v), count);
        store_up_to(maps_.data() + c * plane_ + inside + i, sum, count);
      }
    for (Index c = 0; c < layer.inputs(); ++c)
      for (Index y = 0; y < f.height(); ++y) {
        float* from = maps_.data() + c * plane_ + inside + y * row_;
        std::copy_n(from, f.width(), maps_gradient + c * places + y * f.width());
        if (y + 1 < f.height()) std::fill_n(from + f.width(), row_ - f.width(), 0.F);
      }
  }

  static float sum(const float* x, Index n) { return map_sum(x, n); }
  static float dot(const float* a, const float* b, Index n) { return convolutional::dot(a, b, n); }

 private:

  /// body(gate), where gate(i, count) is M of channel c at `count` places from i on.
  template <class Body>
  [[gnu::always_inline]] void with_gates(const BamBackwardProblem& p, Index b, Index c, Body body) const {
    const float channel = p.channel_branch.data()[b * p.forward.channels() + c];
    const float* spatial = p.spatial_branch.data() + b * p.forward.places();
    if (places_near_ && std::abs(channel) <= bam_near) {
      const simd::Float decay = simd::broadcast(channel_decay_[size(c)]);
      body([&](Index i, Index count) __attribute__((always_inline)) {
        return reciprocal(simd::broadcast(1.F) + decay * load_up_to(place_decay_.data() + i, count));
      });
    } else {
      body([&](Index i, Index count) __attribute__((always_inline)) {
        return sigmoid(simd::broadcast(channel) + load_up_to(spatial + i, count));
      });
    }
  }

  Index row_, plane_;  ///< floats of a row and of a map, with their border
  Index prepared_ = -1;
  bool places_near_ = false;
  tensor::Buffer channel_decay_, place_decay_;  ///< e^−M_c, e^−M_s
  tensor::Buffer maps_, gradients_;             ///< [hidden], with a border of zeros
};

}  // namespace attention::convolutional
