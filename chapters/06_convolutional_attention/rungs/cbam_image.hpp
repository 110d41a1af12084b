#pragma once

#include <omp.h>

#include <algorithm>
#include <vector>

#include "rungs/cbam_planes.hpp"
#include "rungs/image_by_image.hpp"

/// CBAM image by image: everything of one image before the next, so that what is read again is still in the cache.
namespace attention::convolutional {

/// One thread's scratch memory.
class CbamScratch {
 public:
  /// For bands of at most `rows` rows.
  CbamScratch(const CbamProblem& p, Index rows)
      : mean(size(p.channels())),
        largest(size(p.channels())),
        places_(size(2 * (rows + p.kernel()) * p.width())),
        planes_(p) {}

  static std::size_t bytes(const CbamProblem& p, Index rows) {
    const CbamScratch s(p, rows);
    return (s.mean.size() + s.largest.size() + s.places_.size()) * sizeof(float) + CbamPlanes::bytes(p);
  }

  /// Pools over the channels of the image's rows first … last.
  void pool_rows(const CbamProblem& p, Index b, const float* gate, Index first, Index last) {
    // At most so many rows fit; more come where a band begins.
    const Index most = static_cast<Index>(places_.size()) / (2 * p.width());
    for (; first < last; first += most) {
      const Index rows = std::min(most, last - first);
      float* of_places = places_.data();
      float* maxima = of_places + rows * p.width();
      weighted_mean_and_maximum(p.image_of(b), p.places(), p.channels(), first * p.width(), (first + rows) * p.width(), gate,
                                of_places, maxima);
      planes_.write(p, first * p.width(), rows * p.width(), of_places, maxima);
    }
  }

  /// The spatial gates of the rows first … last, once these rows and `radius` on both sides are pooled.
  void convolve_rows(const CbamProblem& p, Index first, Index last, float* gate) {
    planes_.convolve_rows(p, first, last, gate);
  }

  tensor::Buffer mean;     ///< [channels], over the places
  tensor::Buffer largest;  ///< [channels]

 private:

  tensor::Buffer places_;  ///< a few rows of the pools
  CbamPlanes planes_;
};

/// The spatial gates of the rows first … last of one image, once its channel gates are known: pool the rows that the convolution sees
/// and that have not been pooled (`pooled` says how far), convolve.
inline void cbam_spatial_gates(const CbamProblem& p, Index b, Index first, Index last, Index& pooled, CbamScratch& scratch, CbamOutput& out) {
  const Index seen = std::min(last + p.radius(), p.height());
  scratch.pool_rows(p, b, out.channel_gate_of(b), pooled, seen);
  pooled = std::max(pooled, seen);
  scratch.convolve_rows(p, first, last, out.spatial_gate_of(b));
}

/// Rows first … last of one image in bands of `band` rows: their gates, and at once the products.
template <bool past_caches>
void cbam_rows(const CbamProblem& p, Index b, Index first, Index last, Index band, CbamScratch& scratch, CbamOutput& out) {
  Index pooled = std::max<Index>(first - p.radius(), 0);
  for (Index begin = first; begin < last; begin += band) {
    const Index end = std::min(begin + band, last);
    cbam_spatial_gates(p, b, begin, end, pooled, scratch, out);
    const Index from = begin * p.width();
    for (Index c = 0; c < p.channels(); ++c)
      scale_places<past_caches>(p.map_of(b, c) + from, (end - begin) * p.width(), out.channel_gate_of(b)[c], out.spatial_gate_of(b) + from,
                                out.map_of(b, c) + from);
  }
}

/// The whole batch. Where the threads share an image they share its maps, and then its rows. With `ahead` the next image is pooled while
/// this one is written: all its spatial gates come before.
template <bool past_caches, bool ahead = false>
void cbam_image_by_image(const CbamProblem& p, CbamOutput& out, Index band) {
  prepare(p, out);
  const Index channels = p.channels();
  const Index places = p.places();
  const Index threads = omp_get_max_threads();
  const Index shares = parts_when_shared(p.batch(), threads);
  std::vector<CbamScratch> scratch(static_cast<std::size_t>(threads), CbamScratch(p, band));
  const auto scratch_of = [&](Index i) -> CbamScratch& { return scratch[static_cast<std::size_t>(i)]; };
  const auto keep = [&](Index slot, Index c, const SumAndMaximum& of) {
    scratch_of(slot).mean.data()[c] = of.sum / static_cast<float>(places);
    scratch_of(slot).largest.data()[c] = of.maximum;
  };
  const ImageStage read(channels, [&](Index b, Index slot, Index c) { keep(slot, c, map_sum_and_maximum(p.map_of(b, c), places)); });
  const ImageStage decide(1, [&](Index b, Index slot, Index) {
    cbam_channel_gates(p, scratch_of(slot).mean.data(), scratch_of(slot).largest.data(), dot, out.channel_gate_of(b));
  });
  if (ahead && may_read_ahead(p.batch(), p.image_size())) {
    const ImageStage decide_places(1, [&](Index b, Index slot, Index) {
      Index pooled = 0;
      for (Index y = 0; y < p.height(); y += band)
        cbam_spatial_gates(p, b, y, std::min(y + band, p.height()), pooled, scratch_of(slot), out);
    });
    const ImageStage both(channels, [&](Index b, Index slot, Index c) {
      const float* x = p.map_of(b, c);
      const float* next = p.map_of(b + 1, c);
      const float* of_place = out.spatial_gate_of(b);
      const simd::Float of_channel = simd::broadcast(out.channel_gate_of(b)[c]);
      MapSumAndMaximum pools;
      const Index i = stream_places(
          places, out.map_of(b, c),
          [&](Index at, Index count) __attribute__((always_inline)) {
            return of_channel * load_up_to(of_place + at, count) * load_up_to(x + at, count);
          },
          [&](Index at) __attribute__((always_inline)) {
            ask_ahead(next + at);
            pools.block(next + at);
          });
      keep(slot, c, pools.finish(next, i, places));
    });
    const ImageStage write(channels, [&](Index b, Index, Index c) {
      scale_places<past_caches>(p.map_of(b, c), places, out.channel_gate_of(b)[c], out.spatial_gate_of(b), out.map_of(b, c));
    });
    return image_by_image_ahead(p.batch(), read, both, write, decide, decide_places);
  }
  image_by_image(p.batch(), read, decide, ImageStage(shares, [&](Index b, Index, Index share) {
                   cbam_rows<past_caches>(p, b, p.height() * share / shares, p.height() * (share + 1) / shares, band,
                                          scratch_of(omp_get_thread_num()), out);
                 }));
}

}  // namespace attention::convolutional
