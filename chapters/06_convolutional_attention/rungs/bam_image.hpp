#pragma once

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "rungs/bam_rungs.hpp"
#include "rungs/bam_vector.hpp"
#include "rungs/convolution_strip.hpp"
#include "rungs/image_by_image.hpp"

/// The bottleneck attention module image by image: everything of one image before the next, so that what is read again is still in
/// the cache.
namespace attention::convolutional {

/// Places of a chunk. An image is read chunk by chunk, all maps of one before the next: 4 kB of each map. A chunk's sums are
/// partial sums of the means; since the shape alone decides where a chunk ends, any number of threads adds in the same order.
inline constexpr Index bam_chunk = 64 * simd::lanes;

/// Floats from one of f₀'s maps of a chunk to the next: not a power of two, at which their lines would share places in the cache.
inline constexpr Index bam_mixed_stride = bam_chunk + simd::lanes;

/// What a map is multiplied by: its channel's branch, the places' branch, and e^− of both.
struct BamFactors {
  float channel;
  const float* spatial;
  float channel_decay;
  const float* spatial_decay;
  bool near;  ///< no product of the two leaves float32
};

/// The lines of memory that are asked for, two a call, for what comes later.
struct AskedLines {
  const float* at = nullptr;
  const float* end = nullptr;
  [[gnu::always_inline]] void operator()() {
    constexpr Index line = 64 / sizeof(float);
    if (at >= end) return;
    __builtin_prefetch(at, 0, 2);
    __builtin_prefetch(at + line, 0, 2);
    at += 2 * line;
  }
};

/// One image on its way: the partial sums, the maps between the layers with their border, and what becomes of them.
class BamImage {
 public:
  explicit BamImage(const BamProblem& p)
      : chunks((p.places() + bam_chunk - 1) / bam_chunk),
        row_(p.width() + 2 * p.radius()),
        plane_((p.height() + 2 * p.radius()) * row_),
        strip_(strip_height(p.hidden())),
        sums_(size(chunks * p.channels())),
        mean_(size(p.channels())),
        channel_decay_(size(p.channels())),
        place_decay_(size(p.places())) {
    const Index tile = vectors_of(static_cast<int>(strip_)) * simd::lanes;
    stretch_ = sum_pixels / tile * tile;
    for (std::size_t layer : {0, 1}) {
      // Zeros: the border is never written again. A tile reads beyond the last plane.
      planes_[layer].resize(size(p.hidden() * plane_ + widest_tile));
      const BamLayer& l = p.spatial[layer + 1];
      const Index depth = l.inputs() * l.kernel() * l.kernel();
      weights_[layer].resize(size(l.outputs() * depth));
      for (Index o = 0; o < l.outputs(); o += strip_)
        pack_weights(l.weight.data(), depth, l.outputs(), o, std::min(strip_, l.outputs() - o), weights_[layer].data() + o * depth);
    }
  }

  std::size_t bytes() const {
    return (sums_.size() + mean_.size() + channel_decay_.size() + place_decay_.size() + 2 * planes_[0].size() + 2 * weights_[0].size()) *
           sizeof(float);
  }

  /// The sums and f₀ of one chunk. `mixed` is scratch memory of this thread, [hidden, bam_mixed_stride].
  template <class Steps>
  void read(const BamProblem& p, Index b, Index chunk, float* mixed) {
    const Index first = chunk * bam_chunk;
    const Index count = std::min(bam_chunk, p.places() - first);
    Steps::read(p, p.image_of(b) + first, count, sums_.data() + chunk * p.channels(), mixed);
    for (Index j = 0; j < p.hidden(); ++j) {
      float* from = mixed + j * bam_mixed_stride;
      BamVector::rectify(from, count);
      for (Index i = first; i < first + count;) {
        const Index x = i % p.width();
        const Index run = std::min(p.width() - x, first + count - i);
        std::copy_n(from + i - first, run, inside(p, 0, j) + i / p.width() * row_ + x);
        i += run;
      }
    }
  }

  /// M_c, once all chunks are read.
  void channel_branch(const BamProblem& p, Index b, BamOutput& out) {
    for (Index c = 0; c < p.channels(); ++c) {
      float sum = 0;
      for (Index chunk = 0; chunk < chunks; ++chunk) sum += sums_[size(chunk * p.channels() + c)];
      mean_[size(c)] = sum / static_cast<float>(p.places());
    }
    bam_channel_branch(p, mean_.data(), dot, out.channel_branch_of(b));
    bam_decay(out.channel_branch_of(b), p.channels(), channel_decay_.data());
  }

  /// Rows first … last of f₁'s output, with its ReLU.
  void first_layer(const BamProblem& p, Index first, Index last) {
    for_stretches(p, 0, first, last, [&](Index at, Index count, Index o, Index height, float* sums) {
      for (Index i = 0; i < height; ++i) {
        BamVector::rectify(sums + i * sum_stride, count);
        write_rows(sums + i * sum_stride, at, count, row_, p.width(), inside(p, 1, o + i) + first * row_, row_);
      }
    });
  }

  /// Rows first … last of f₃'s output: f₂ need not be stored, since f₃ sees one place at a time.
  void last_layers(const BamProblem& p, Index b, Index first, Index last, BamOutput& out) {
    alignas(64) float argument[sum_pixels];
    for_stretches(p, 1, first, last, [&](Index at, Index count, Index o, Index height, float* sums) {
      if (o == 0) std::fill_n(argument, count, p.spatial[3].bias.data()[0]);
      for (Index i = 0; i < height; ++i) {
        const float* sum = sums + i * sum_stride;
        const float w = p.spatial[3].weight.data()[o + i];
#pragma omp simd
        for (Index j = 0; j < count; ++j) argument[j] += w * (sum[j] < 0 ? 0 : sum[j]);
      }
      if (o + height == p.hidden())
        write_rows(argument, at, count, row_, p.width(), out.spatial_branch_of(b) + first * p.width(), p.width());
    });
  }

  /// e^−M_s of all places, and whether all are of a size that may be multiplied.
  void place_decay(const BamProblem& p, Index b, BamOutput& out) {
    places_near_ = bam_decay(out.spatial_branch_of(b), p.places(), place_decay_.data());
  }

  /// From now on image b, if there is one, is asked for: beside the layers' taps, and then with the products.
  void ask_for(const BamProblem& p, Index b) {
    asked_ = b < p.batch() ? AskedLines{p.image_of(b), p.image_of(b) + p.image_size()} : AskedLines{};
  }

  template <class Steps, bool ahead>
  void multiply(const BamProblem& p, Index b, Index c, BamOutput& out) {
    const float channel = out.channel_branch_of(b)[c];
    const BamFactors by{channel, out.spatial_branch_of(b), channel_decay_[size(c)], place_decay_.data(),
                        places_near_ && std::abs(channel) <= bam_near};
    if constexpr (ahead) {
      // What the taps did not come to.
      const float* next = asked_.end ? asked_.end - (p.channels() - c) * p.places() : nullptr;
      if (next && asked_.at <= next) return Steps::multiply_and_ask(by, p.map_of(b, c), p.places(), out.map_of(b, c), next);
    }
    Steps::multiply(by, p.map_of(b, c), p.places(), out.map_of(b, c));
  }

  const Index chunks;

 private:

  /// Strips of equal height, as in the convolution's rung 5.
  static Index strip_height(Index outputs) {
    const Index strips = (outputs + simd::tile_rows - 1) / simd::tile_rows;
    return (outputs + strips - 1) / strips;
  }

  /// The first place of a map, within its border.
  float* inside(const BamProblem& p, std::size_t layer, Index map) {
    return planes_[layer].data() + map * plane_ + p.radius() * (row_ + 1);
  }

  /// f₁ or f₂ for rows first … last, by stretches of their places and strips of their outputs: body(at, count, output, outputs,
  /// sums), where `at` counts from the first row's first place, the border's lanes between rows included.
  template <class Body>
  void for_stretches(const BamProblem& p, std::size_t layer, Index first, Index last, Body body) {
    alignas(64) float sums[simd::tile_rows * sum_stride];
    const BamLayer& l = p.spatial[layer + 1];
    const Index depth = l.inputs() * l.kernel() * l.kernel();
    const Index pixels = (last - first) * row_ - 2 * p.radius();
    for (Index at = 0; at < pixels; at += stretch_)
      for (Index o = 0; o < p.hidden(); o += strip_) {
        const Index height = std::min(strip_, p.hidden() - o);
        const Index count = std::min(stretch_, pixels - at);
        const Taps taps{planes_[layer].data() + first * row_ + at, plane_, row_, l.inputs(), l.kernel(),
                        weights_[layer].data() + o * depth, p.dilation};
        if (asked_.at < asked_.end)
          convolve_strip(height, taps, count, l.bias.data() + o, sums, sum_stride, asked_);
        else
          convolve_strip(height, taps, count, l.bias.data() + o, sums, sum_stride);
        body(at, count, o, height, sums);
      }
  }

  Index row_;     ///< floats of a row with its border
  Index plane_;   ///< of a map with its border
  Index strip_;   ///< outputs of f₁ and f₂ in a strip, but for the last
  Index stretch_;  ///< places whose sums are held at a time: whole tiles
  bool places_near_ = false;
  AskedLines asked_;  ///< of the next image
  tensor::Buffer sums_;                    ///< [chunks, channels]
  tensor::Buffer mean_;                    ///< [channels]
  tensor::Buffer channel_decay_;           ///< e^−M_c
  tensor::Buffer place_decay_;             ///< e^−M_s
  std::array<tensor::Buffer, 2> planes_;   ///< what f₁ and f₂ read: [hidden], with a border of zeros
  std::array<tensor::Buffer, 2> weights_;  ///< of f₁ and f₂, strip by strip, tap by tap
};

/// The whole batch. Where the threads share an image they share its chunks, rows and maps. With `ahead` the next image is asked for while
/// this one is in the inner layers and while it is written.
template <class Steps, bool ahead = false>
void bam_image_by_image(const BamProblem& p, BamOutput& out) {
  prepare(p, out);
  constexpr Index band = 8;
  const Index scratch = p.hidden() * bam_mixed_stride;
  const Index channels = p.channels();
  const Index height = p.height();
  const Index bands = parts_when_shared(p.batch(), (height + band - 1) / band);
  const auto first_row = [&](Index part) { return part * band; };
  const auto last_row = [&](Index part) { return bands == 1 ? height : std::min((part + 1) * band, height); };
  std::vector<BamImage> images(static_cast<std::size_t>(image_slots(p.batch())), BamImage(p));
  const auto image = [&](Index slot) -> BamImage& { return images[static_cast<std::size_t>(slot)]; };
  const bool asks = ahead && may_read_ahead(p.batch(), p.image_size());
  tensor::UnsetBuffer mixed(static_cast<std::size_t>(omp_get_max_threads() * scratch));
  image_by_image(
      p.batch(),
      ImageStage(image(0).chunks, [&](Index b, Index slot, Index chunk) {
        image(slot).template read<Steps>(p, b, chunk, mixed.data() + omp_get_thread_num() * scratch);
      }),
      ImageStage(1, [&](Index b, Index slot, Index) {
        image(slot).channel_branch(p, b, out);
        if (asks) image(slot).ask_for(p, b + 1);
      }),
      ImageStage(bands, [&](Index, Index slot, Index part) { image(slot).first_layer(p, first_row(part), last_row(part)); }),
      ImageStage(bands, [&](Index b, Index slot, Index part) { image(slot).last_layers(p, b, first_row(part), last_row(part), out); }),
      ImageStage(1, [&](Index b, Index slot, Index) { image(slot).place_decay(p, b, out); }),
      // Those read last are the nearest.
      ImageStage(channels, [&](Index b, Index slot, Index turn) { image(slot).template multiply<Steps, ahead>(p, b, channels - 1 - turn, out); }));
}

}  // namespace attention::convolutional
