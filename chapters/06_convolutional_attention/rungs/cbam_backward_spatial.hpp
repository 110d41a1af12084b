#pragma once

#include <algorithm>

#include "cbam_backward.hpp"
#include "rungs/convolution_padding.hpp"
#include "rungs/convolution_strip.hpp"
#include "rungs/places.hpp"

namespace attention::convolutional {

/// The way back through the spatial gate's convolution, image by image: one plane, dT, and two pools. The kernels for
/// channels last would fill one lane of a vector, or two; here a vector holds places.
class CbamBackwardSpatial {
 public:
  explicit CbamBackwardSpatial(const CbamBackwardProblem& p)
      : row_(p.width() + 2 * p.radius()),
        plane_((p.height() + 2 * p.radius()) * row_ + widest_tile + p.kernel()),
        stride_(p.height() * row_ + widest_tile),
        turned_(static_cast<std::size_t>(2 * p.kernel() * p.kernel())),
        padded_(static_cast<std::size_t>(3 * plane_)),
        found_(static_cast<std::size_t>(2 * stride_)) {
    // convolve_strip wants the weights tap by tap; the way back takes them turned by half a turn.
    const Index taps = p.kernel() * p.kernel();
    for (Index tap = 0; tap < taps; ++tap)
      for (Index which = 0; which < 2; ++which)
        turned_[static_cast<std::size_t>(2 * tap + which)] = p.spatial_weight.data()[which * taps + taps - 1 - tap];
  }

  static std::size_t bytes(const CbamBackwardProblem& p) {
    const CbamBackwardSpatial s(p);
    return (s.turned_.size() + s.padded_.size() + s.found_.size()) * sizeof(float);
  }

  /// From dT of image b: its pools' gradients, [2, places], and its part of df.
  void operator()(const CbamBackwardProblem& p, Index b, const float* dT, float* pools, float* weight_gradient) {
    const float* planes[] = {dT, p.kept.pooled.data() + 2 * b * p.places(),
                             p.kept.pooled.data() + (2 * b + 1) * p.places()};
    for (Index i = 0; i < 3; ++i)
      pad_rows(planes[i], p.height(), p.width(), p.radius(), -p.radius(), p.height() + p.radius(),
               padded_.data() + i * plane_);

    // With its border a plane is one long row: a tap is a shift. What falls on the border is not used.
    const Taps taps{padded_.data(), plane_, row_, 1, p.kernel(), turned_.data()};
    constexpr float zeros[2] = {};
    const Index long_row = (p.height() - 1) * row_ + p.width();
    convolve_strip(2, taps, long_row, zeros, found_.data(), stride_);
    for (Index which = 0; which < 2; ++which)
      write_rows(found_.data() + which * stride_, 0, long_row, row_, p.width(), pools + which * p.places(), p.width());

    for (Index which = 0; which < 2; ++which)
      for (Index u = 0; u < p.kernel(); ++u)
        for (Index v = 0; v < p.kernel(); ++v)
          *weight_gradient++ = shifted_product(p, dT, padded_.data() + (1 + which) * plane_ + u * row_ + v);
  }

 private:
  /// Σ over the places of dT times what a tap sees, in two chains.
  float shifted_product(const CbamBackwardProblem& p, const float* dT, const float* seen) const {
    simd::Float sum[2] = {};
    for (Index y = 0; y < p.height(); ++y, dT += p.width(), seen += row_) {
      Index x = 0;
      for (; x + 2 * simd::lanes <= p.width(); x += 2 * simd::lanes)
        simd::unrolled<2>([&](auto i) __attribute__((always_inline)) {
          sum[i] += simd::load(dT + x + i * simd::lanes) * simd::load(seen + x + i * simd::lanes);
        });
      for (; x < p.width(); x += simd::lanes) {
        const Index count = std::min<Index>(simd::lanes, p.width() - x);
        sum[0] += load_up_to(dT + x, count) * load_up_to(seen + x, count);
      }
    }
    return simd::sum(sum[0] + sum[1]);
  }

  Index row_;     ///< floats of a row with its border
  Index plane_;   ///< of a plane, and what the last tile reads beyond
  Index stride_;  ///< of a plane of `found_`
  tensor::Buffer turned_;
  tensor::Buffer padded_;  ///< dT and the two pools, with their border
  tensor::Buffer found_;   ///< the pools' gradients, with gaps for the border
};

}  // namespace attention::convolutional
