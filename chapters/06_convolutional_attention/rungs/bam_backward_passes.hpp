#pragma once

#include <omp.h>

#include <vector>

#include "rungs/bam_backward_layers.hpp"
#include "rungs/bam_passes.hpp"

/// The backward pass of the bottleneck attention module in passes over the batch: what the rungs "loops", "openmp" and
/// "simd" do.
namespace attention::convolutional {

/// The arguments' gradients summed, then both branches, image by image; then all maps. F and dF′ are read twice.
template <class Parts>
void bam_backward_in_passes(const BamBackwardProblem& p, BamBackwardOutput& out, bool parallel) {
  prepare(p, out);
  const BamProblem& f = p.forward;
  const GatheredParts parts(f.batch());
  const Index floats = BamSums::floats(f);
  tensor::Buffer partial(static_cast<std::size_t>(parts.count * floats));
  std::vector<BamGradients> gradients(static_cast<std::size_t>(f.batch()), BamGradients(f));
  const auto of = [&gradients](Index b) -> BamGradients& { return gradients[static_cast<std::size_t>(b)]; };
#pragma omp parallel if (parallel)
  {
    Parts own(f);
#pragma omp for schedule(static)
    for (Index part = 0; part < parts.count; ++part)
      for (Index b = parts.first_of(part); b < parts.first_of(part + 1); ++b) {
        const BamSums sums(f, partial.data() + part * floats);
        own.prepare_gates(p, b);
        own.gather(p, b, 0, f.places(), of(b).channels.data(), of(b).places.data());
        channel_branch_backward(p, b, sums, of(b).channels.data());
        spatial_branch_backward(p, b, sums, own, of(b));
        for (Index c = 0; c < f.channels(); ++c) mix_backward<Parts>(f, b, c, of(b).inner.data(), sums);
      }
#pragma omp for schedule(static)
    for (Index m = 0; m < f.batch() * f.channels(); ++m) {
      const Index b = m / f.channels();
      const Index c = m % f.channels();
      own.prepare_gates(p, b);
      own.spread(p, b, c, of(b).channels.data()[c], of(b).inner.data(), out);
    }
  }
  finish_sums(f, parts.count, partial, out);
}

/// The parts in plain loops.
struct BamBackwardPlain {
  explicit BamBackwardPlain(const BamProblem&) {}

  void prepare_gates(const BamBackwardProblem&, Index) {}

  static float gate(const BamBackwardProblem& p, Index b, Index c, Index i) {
    return sigmoid(p.channel_branch.data()[b * p.forward.channels() + c] +
                   p.spatial_branch.data()[b * p.forward.places() + i]);
  }

  /// The arguments' gradients at the places first … first + count, summed over them and over the channels.
  static void gather(const BamBackwardProblem& p, Index b, Index first, Index count, float* channels, float* places) {
    const BamProblem& f = p.forward;
    std::fill_n(places, count, 0.F);
    for (Index c = 0; c < f.channels(); ++c) {
      const float* x = f.map_of(b, c) + first;
      const float* dy = p.output_gradient_of(b) + c * f.places() + first;
      float sum = 0;
      for (Index i = 0; i < count; ++i) {
        const float m = gate(p, b, c, first + i);
        const float gradient = dy[i] * x[i] * (m * (1 - m));
        sum += gradient;
        places[i] += gradient;
      }
      channels[c] = sum;
    }
  }

  /// dF of one map.
  static void spread(const BamBackwardProblem& p, Index b, Index c, float mean_gradient, const float* inner,
                     BamBackwardOutput& out) {
    const BamProblem& f = p.forward;
    const Index places = f.places();
    const float* dy = p.output_gradient_of(b) + c * places;
    float* dx = out.input.data() + (b * f.channels() + c) * places;
    for (Index i = 0; i < places; ++i) dx[i] = dy[i] * (1 + gate(p, b, c, i)) + mean_gradient;
    for (Index j = 0; j < f.hidden(); ++j) {
      const float w = f.spatial[0].weight.data()[j * f.channels() + c];
      for (Index i = 0; i < places; ++i) dx[i] += w * inner[j * places + i];
    }
  }

  /// From `gradient` of a layer's outputs: adds to those of its weights, and gives that of its maps.
  static void convolution_backward(const BamProblem& f, const BamLayer& layer, const float* maps, const float* gradient,
                                   float* weight_gradient, float* bias_gradient, float* maps_gradient) {
    const Index places = f.places();
    const Index width = f.width();
    const Index reach = layer.kernel() / 2;
    std::fill_n(maps_gradient, layer.inputs() * places, 0.F);
    Index weight = 0;
    for (Index o = 0; o < layer.outputs(); ++o) {
      bias_gradient[o] += sum(gradient + o * places, places);
      for (Index c = 0; c < layer.inputs(); ++c)
        for (Index u = -reach; u <= reach; ++u)
          for (Index v = -reach; v <= reach; ++v, ++weight) {
            const Index down = f.dilation * u;
            const Index right = f.dilation * v;
            const float w = layer.weight.data()[weight];
            float sum = 0;
            for (Index y = std::max<Index>(0, -down); y < std::min(f.height(), f.height() - down); ++y)
              for (Index x = std::max<Index>(0, -right); x < std::min(width, width - right); ++x) {
                const Index from = y * width + x;
                const Index at = from + down * width + right;
                sum += gradient[o * places + from] * maps[c * places + at];
                maps_gradient[c * places + at] += w * gradient[o * places + from];
              }
            weight_gradient[weight] += sum;
          }
    }
  }

  static float sum(const float* x, Index n) { return plain_sum(x, n); }
  static float dot(const float* a, const float* b, Index n) { return BamPlain::product(a, b, n); }
};

}  // namespace attention::convolutional
