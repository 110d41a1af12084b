#pragma once

#include <omp.h>

#include <algorithm>

#include "rungs/cbam_vector.hpp"

/// CBAM image by image: everything of one image before the next, so that what is read again is still in the cache.
namespace attention::convolutional {

/// One thread's scratch memory.
class CbamScratch {
 public:
  /// For bands of at most `rows` rows.
  CbamScratch(const CbamProblem& p, Index rows)
      : row_(p.width() + 2 * p.radius()),
        plane_((p.height() + 2 * p.radius()) * row_ + place_vectors * simd::lanes + p.kernel()),
        mean(size(p.channels())),
        largest(size(p.channels())),
        places_(size(2 * (rows + p.kernel()) * p.width())),
        planes_(size(2 * plane_)),
        convolved_(size(rows * row_ + place_vectors * simd::lanes)) {}

  static std::size_t bytes(const CbamProblem& p, Index rows) {
    const CbamScratch s(p, rows);
    return (s.mean.size() + s.largest.size() + s.places_.size() + s.planes_.size() + s.convolved_.size()) * sizeof(float);
  }

  /// Pools over the channels of the image's rows first … last, into the two planes that have a border of zeros.
  void pool_rows(const CbamProblem& p, Index b, const float* gate, Index first, Index last) {
    // At most so many rows fit; more come where a band begins.
    const Index most = static_cast<Index>(places_.size()) / (2 * p.width());
    for (; first < last; first += most) {
      const Index rows = std::min(most, last - first);
      float* of_places = places_.data();
      float* maxima = of_places + rows * p.width();
      weighted_mean_and_maximum(p.image_of(b), p.places(), p.channels(), first * p.width(), (first + rows) * p.width(), gate,
                                of_places, maxima);
      for (Index y = 0; y < rows; ++y) {
        float* to = planes_.data() + (first + y + p.radius()) * row_ + p.radius();
        std::copy_n(of_places + y * p.width(), p.width(), to);
        std::copy_n(maxima + y * p.width(), p.width(), to + plane_);
      }
    }
  }

  /// σ of the convolution for the rows first … last, from planes that hold these rows and `radius` on both sides.
  void convolve_rows(const CbamProblem& p, Index first, Index last, float* gate) {
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
      simd::unrolled<many>([&](auto i) { simd::store(convolved_.data() + at + i * simd::lanes, sigmoid(sum[i])); });
    });
    for (Index y = first; y < last; ++y) std::copy_n(convolved_.data() + (y - first) * row_, p.width(), gate + y * p.width());
  }

 private:
  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

  template <class Body>
  [[gnu::always_inline]] static void for_whole_tiles(Index n, Body body) {
    Index at = 0;
    for (; at + (place_vectors - 1) * simd::lanes < n; at += place_vectors * simd::lanes)
      body(at, std::integral_constant<int, place_vectors>{});
    for (; at < n; at += simd::lanes) body(at, std::integral_constant<int, 1>{});
  }

  Index row_;    ///< floats of a row with its border
  Index plane_;  ///< of a plane, and what the last tile reads beyond

 public:
  tensor::Buffer mean;     ///< [channels], over the places
  tensor::Buffer largest;  ///< [channels]

 private:
  tensor::Buffer places_;     ///< a few rows of the pools
  tensor::Buffer planes_;     ///< mean and maximum over the channels, with their border
  tensor::Buffer convolved_;  ///< a band
};

/// Rows first … last of one image, once its channel gates are known, in bands of `band` rows: pool the rows that the band's
/// convolution sees and that no band before it has pooled, convolve, multiply.
template <bool past_caches>
void cbam_rows(const CbamProblem& p, Index b, Index first, Index last, Index band, CbamScratch& scratch, CbamOutput& out) {
  const float* gate = out.channel_gate_of(b);
  float* spatial = out.spatial_gate_of(b);
  Index pooled = std::max<Index>(first - p.radius(), 0);
  for (Index begin = first; begin < last; begin += band) {
    const Index end = std::min(begin + band, last);
    const Index seen = std::min(end + p.radius(), p.height());
    scratch.pool_rows(p, b, gate, pooled, seen);
    pooled = std::max(pooled, seen);
    scratch.convolve_rows(p, begin, end, spatial);
    const Index from = begin * p.width();
    for (Index c = 0; c < p.channels(); ++c)
      scale_places<past_caches>(p.map_of(b, c) + from, (end - begin) * p.width(), gate[c], spatial + from, out.map_of(b, c) + from);
  }
}

/// The whole batch. Fewer images than threads: the threads share each image's maps, and then its rows.
template <bool past_caches>
void cbam_image_by_image(const CbamProblem& p, CbamOutput& out, Index band) {
  prepare(p, out);
  const auto pool_map = [&p](Index b, Index c, float* mean, float* largest) {
    const SumAndMaximum of = map_sum_and_maximum(p.map_of(b, c), p.places());
    mean[c] = of.sum / static_cast<float>(p.places());
    largest[c] = of.maximum;
  };
  if (p.batch() >= omp_get_max_threads()) {
#pragma omp parallel
    {
      CbamScratch scratch(p, band);
#pragma omp for schedule(static)
      for (Index b = 0; b < p.batch(); ++b) {
        for (Index c = 0; c < p.channels(); ++c) pool_map(b, c, scratch.mean.data(), scratch.largest.data());
        cbam_channel_gates(p, scratch.mean.data(), scratch.largest.data(), dot, out.channel_gate_of(b));
        cbam_rows<past_caches>(p, b, 0, p.height(), band, scratch, out);
      }
      if (past_caches) finish_streaming();
    }
    return;
  }
  tensor::Buffer mean(static_cast<std::size_t>(p.channels()));
  tensor::Buffer largest(mean.size());
  for (Index b = 0; b < p.batch(); ++b)
#pragma omp parallel
  {
    CbamScratch scratch(p, band);
#pragma omp for schedule(static)
    for (Index c = 0; c < p.channels(); ++c) pool_map(b, c, mean.data(), largest.data());
#pragma omp single
    cbam_channel_gates(p, mean.data(), largest.data(), dot, out.channel_gate_of(b));
    const Index threads = omp_get_num_threads();
    const Index thread = omp_get_thread_num();
    cbam_rows<past_caches>(p, b, p.height() * thread / threads, p.height() * (thread + 1) / threads, band, scratch, out);
    if (past_caches) finish_streaming();
  }
}

}  // namespace attention::convolutional
