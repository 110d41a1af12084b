#pragma once

#include <algorithm>

#include "rungs/cbam_vector.hpp"

namespace attention::convolutional {

/// What CBAM's spatial gate is computed from: mean and maximum over the channels, each a plane with a border of zeros, `radius` wide.
class CbamPlanes {
 public:
  explicit CbamPlanes(const CbamProblem& p)
      : row_(p.width() + 2 * p.radius()),
        plane_((p.height() + 2 * p.radius()) * row_ + place_vectors * simd::lanes + p.kernel()),
        planes_(static_cast<std::size_t>(2 * plane_)) {}

  static std::size_t bytes(const CbamProblem& p) { return CbamPlanes(p).planes_.size() * sizeof(float); }

  /// Floats of scratch memory that convolve_rows takes for so many rows.
  static std::size_t scratch(const CbamProblem& p, Index rows) {
    return static_cast<std::size_t>(rows * (p.width() + 2 * p.radius()) + place_vectors * simd::lanes);
  }

  /// The pools of the places from `first` on, `count` of them, row after row.
  void write(const CbamProblem& p, Index first, Index count, const float* mean, const float* largest) {
    for (Index i = first; i < first + count;) {
      const Index x = i % p.width();
      const Index run = std::min(p.width() - x, first + count - i);
      float* to = planes_.data() + (i / p.width() + p.radius()) * row_ + p.radius() + x;
      std::copy_n(mean + i - first, run, to);
      std::copy_n(largest + i - first, run, to + plane_);
      i += run;
    }
  }

  /// σ of the convolution for the rows first … last, from planes that hold these rows and `radius` on both sides.
  void convolve_rows(const CbamProblem& p, Index first, Index last, float* convolved, float* gate) const {
    // With its border a plane is one long row: a tap is a shift. What falls on the border is not used.
    const Index n = (last - first) * row_ - 2 * p.radius();
    for_whole_tiles(n, [&](Index at, auto vectors) __attribute__((always_inline)) {
      constexpr int many = decltype(vectors)::value;
      simd::Float sum[many] = {};
      const float* weight = p.spatial_weight.data();
      for (Index which = 0; which < 2; ++which)
        for (Index u = 0; u < p.kernel(); ++u) {
          const float* from = planes_.data() + which * plane_ + (first + u) * row_ + at;
          for (Index v = 0; v < p.kernel(); ++v) {
            const simd::Float w = simd::broadcast(*weight++);
            simd::unrolled<many>([&](auto i) { sum[i] += w * simd::load(from + v + i * simd::lanes); });
          }
        }
      simd::unrolled<many>([&](auto i) { simd::store(convolved + at + i * simd::lanes, sigmoid(sum[i])); });
    });
    for (Index y = first; y < last; ++y) std::copy_n(convolved + (y - first) * row_, p.width(), gate + y * p.width());
  }

 private:
  template <class Body>
  [[gnu::always_inline]] static void for_whole_tiles(Index n, Body body) {
    Index at = 0;
    for (; at + (place_vectors - 1) * simd::lanes < n; at += place_vectors * simd::lanes)
      body(at, std::integral_constant<int, place_vectors>{});
    for (; at < n; at += simd::lanes) body(at, std::integral_constant<int, 1>{});
  }

  Index row_;    ///< floats of a row with its border
  Index plane_;  ///< of a plane, and what the last tile reads beyond
  tensor::Buffer planes_;
};

}  // namespace attention::convolutional
