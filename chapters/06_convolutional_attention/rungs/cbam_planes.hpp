#pragma once

#include <algorithm>
#include <array>

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

  /// σ of the convolution for the rows first … last, from planes that hold these rows and `radius` on both sides. Four rows at a time:
  /// a vector that is loaded serves every row that sees it.
  void convolve_rows(const CbamProblem& p, Index first, Index last, float* gate) const {
    using Tile = void (CbamPlanes::*)(const CbamProblem&, Index, Index, Index, float*) const;
    static constexpr std::array<Tile, 4> four_rows{&CbamPlanes::convolve<4, 1>, &CbamPlanes::convolve<4, 2>, &CbamPlanes::convolve<4, 3>,
                                                   &CbamPlanes::convolve<4, 4>};
    static constexpr std::array<Tile, 4> one_row{&CbamPlanes::convolve<1, 1>, &CbamPlanes::convolve<1, 2>, &CbamPlanes::convolve<1, 3>,
                                                 &CbamPlanes::convolve<1, 4>};
    for (Index x = 0; x < p.width(); x += 4 * simd::lanes) {
      const Index left = std::min<Index>(p.width() - x, 4 * simd::lanes);
      const auto vectors = static_cast<std::size_t>((left + simd::lanes - 1) / simd::lanes);
      Index y = first;
      for (; y + 4 <= last; y += 4) (this->*four_rows[vectors - 1])(p, y, x, left, gate);
      for (; y < last; ++y) (this->*one_row[vectors - 1])(p, y, x, left, gate);
    }
  }

 private:
  /// The rows from y on, `count` places of each from x on.
  template <int Rows, int Vectors>
  void convolve(const CbamProblem& p, Index y, Index x, Index count, float* gate) const {
    const Index kernel = p.kernel();
    simd::Float sum[Rows][Vectors] = {};
    for (Index which = 0; which < 2; ++which)
      for (Index line = 0; line < kernel + Rows - 1; ++line) {
        const float* from = planes_.data() + which * plane_ + (y + line) * row_ + x;
        for (Index v = 0; v < kernel; ++v) {
          simd::Float value[Vectors];
          simd::unrolled<Vectors>([&](auto i) __attribute__((always_inline)) { value[i] = simd::load(from + v + i * simd::lanes); });
          simd::unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
            // Which of the kernel's rows lies on this line, seen from row y + r.
            const Index u = line - r;
            if (u < 0 || u >= kernel) return;
            const simd::Float w = simd::broadcast(p.spatial_weight.data()[(which * kernel + u) * kernel + v]);
            simd::unrolled<Vectors>([&](auto i) __attribute__((always_inline)) { sum[r][i] += w * value[i]; });
          });
        }
      }
    simd::unrolled<Rows>([&](auto r) __attribute__((always_inline)) {
      simd::unrolled<Vectors>([&](auto i) __attribute__((always_inline)) {
        store_up_to(gate + (y + r) * p.width() + x + i * simd::lanes, sigmoid(sum[r][i]),
                    i == Vectors - 1 ? count - i * simd::lanes : Index{simd::lanes});
      });
    });
  }

  Index row_;    ///< floats of a row with its border
  Index plane_;  ///< of a plane, and what the last tile reads beyond it
  tensor::Buffer planes_;
};

}  // namespace attention::convolutional
