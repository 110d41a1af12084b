#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"
#include "tensor/tensor.hpp"

/// A strip of output channels over a stretch of pixels, read where the image with its border lies: what the convolution's rung 5
/// is made of. With its border an image is one long row, and a tap is a shift.
namespace attention::convolutional {

using tensor::Index;

/// Vectors of pixels in a tile of `rows` output channels: as many sums as the matrix kernel has, and at most 8 vectors.
constexpr int vectors_of(int rows) { return std::min(8, simd::tile_vectors * simd::tile_rows / rows); }

inline constexpr Index widest_tile = 8 * simd::lanes;

/// Pixels of a strip whose sums are held: 12 kB, in the nearest cache, while the blocks of input channels are added.
inline constexpr Index sum_pixels = 16 * simd::lanes;
inline constexpr Index sum_stride = sum_pixels + simd::lanes;  ///< not a power of two, whose rows would share cache lines

/// What a tile reads: an input of `channels` planes, and the weights of a strip for these, tap by tap.
struct Taps {
  const float* input;  ///< the first output's upper left pixel, of the first channel
  Index plane;         ///< floats from one channel to the next
  Index row;           ///< floats from one image row to the next
  Index channels;
  Index kernel;
  const float* weight;  ///< [channels][kernel][kernel][rows of the strip]
  Index dilation = 1;   ///< pixels from tap to tap
};

/// Nothing that is done beside the taps.
struct TapsAlone {
  void operator()() const {}
};

/// sum[i][…] = start[i] + Σ taps (start null: the sum itself) for Rows output channels and Vectors vectors of pixels. `beside` is called
/// once a tap.
template <int Rows, int Vectors, class Beside>
[[gnu::flatten]] void convolve_tile(const Taps& taps, const float* start, float* sum, Index stride, Beside& beside) {
  simd::Float s[Rows][Vectors] = {};
  const float* weight = taps.weight;
  for (Index c = 0; c < taps.channels; ++c)
    for (Index u = 0; u < taps.kernel; ++u) {
      const float* pixel = taps.input + c * taps.plane + u * taps.dilation * taps.row;
      for (Index v = 0; v < taps.kernel; ++v, pixel += taps.dilation, weight += Rows) {
        beside();
        // The smaller side of the tile is held in registers while the other passes.
        if constexpr (Rows >= Vectors) {
          simd::Float x[Vectors];
          simd::unrolled<Vectors>([&](auto j) { x[j] = simd::load(pixel + j * simd::lanes); });
          simd::unrolled<Rows>([&](auto i) {
            const simd::Float w = simd::broadcast(weight[i]);
            simd::unrolled<Vectors>([&](auto j) { s[i][j] += w * x[j]; });
          });
        } else {
          simd::Float w[Rows];
          simd::unrolled<Rows>([&](auto i) { w[i] = simd::broadcast(weight[i]); });
          simd::unrolled<Vectors>([&](auto j) {
            const simd::Float x = simd::load(pixel + j * simd::lanes);
            simd::unrolled<Rows>([&](auto i) { s[i][j] += w[i] * x; });
          });
        }
      }
    }
  simd::unrolled<Rows>([&](auto i) {
    simd::unrolled<Vectors>([&](auto j) {
      float* to = sum + i * stride + j * simd::lanes;
      simd::store(to, (start ? simd::broadcast(start[i]) : simd::load(to)) + s[i][j]);
    });
  });
}

/// convolve_tile over `pixels` outputs: whole tiles, then single vectors.
template <int Rows, class Beside>
void convolve_strip(Taps taps, Index pixels, const float* start, float* sum, Index stride, Beside& beside) {
  constexpr int vectors = vectors_of(Rows);
  Index at = 0;
  for (; at + vectors * simd::lanes <= pixels; at += vectors * simd::lanes, taps.input += vectors * simd::lanes)
    convolve_tile<Rows, vectors>(taps, start, sum + at, stride, beside);
  for (; at < pixels; at += simd::lanes, taps.input += simd::lanes) convolve_tile<Rows, 1>(taps, start, sum + at, stride, beside);
}

/// The same for any number of output channels up to tile_rows.
template <class Beside>
inline void convolve_strip(Index rows, const Taps& taps, Index pixels, const float* start, float* sum, Index stride, Beside& beside) {
  using Kernel = void (*)(Taps, Index, const float*, float*, Index, Beside&);
  static constexpr auto kernels = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Kernel, simd::tile_rows>{&convolve_strip<I + 1, Beside>...};
  }(std::make_integer_sequence<int, simd::tile_rows>{});
  kernels[static_cast<std::size_t>(rows - 1)](taps, pixels, start, sum, stride, beside);
}
inline void convolve_strip(Index rows, const Taps& taps, Index pixels, const float* start, float* sum, Index stride) {
  TapsAlone alone;
  convolve_strip(rows, taps, pixels, start, sum, stride, alone);
}

/// The weights of `count` output channels from `first` on, of `all`: to[term][count]. A term is a tap of an input channel; `weight`
/// holds `depth` of them for every output channel.
inline void pack_weights(const float* weight, Index depth, Index all, Index first, Index count, float* to) {
  const float* from = weight + first * depth;
  Index term = 0;
  // A square of weights at a time, where so many output channels follow and its rows are no shorter than the strip's (vectors of 4
  // may be). What a row writes too much the next one overwrites, and the last terms are left to the loop below.
  alignas(64) float square[simd::lanes * simd::lanes];
  for (; count <= simd::lanes && first + simd::lanes <= all && term + 2 * simd::lanes <= depth; term += simd::lanes) {
    simd::transpose_square(from + term, depth, square, simd::lanes);
    for (Index i = 0; i < simd::lanes; ++i) simd::store(to + (term + i) * count, simd::load(square + i * simd::lanes));
  }
  for (; term < depth; ++term)
    for (Index i = 0; i < count; ++i) to[term * count + i] = from[i * depth + term];
}

/// Outputs at … at + count of an image seen as one long row, whose rows are `row` floats with their border and `width` without:
/// those not on the border, to a plane with `to_row` floats from row to row.
inline void write_rows(const float* sums, Index at, Index count, Index row, Index width, float* to, Index to_row) {
  for (Index y = at / row; y * row < at + count; ++y) {
    const Index begin = std::max(at, y * row);
    const Index end = std::min(at + count, y * row + width);
    if (begin < end) std::copy_n(sums + begin - at, end - begin, to + y * to_row + begin - y * row);
  }
}

}  // namespace attention::convolutional
