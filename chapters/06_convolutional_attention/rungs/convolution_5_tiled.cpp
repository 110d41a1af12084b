// Rung 5, tiled: the register tile reads the image itself; no matrix of patches exists.
//
// What changed: for one tap, the pixels that 32 neighbouring outputs need lie side by side in the image, only shifted. So the
// kernel of rung 4 can read them there: 12 output channels × 2 vectors of pixels in registers, and each tap loads two shifted
// vectors. A band of the image with its border is copied first and then seen as one long row: a tile may run over the end of a
// row, and the outputs that fall on the border are thrown away (2 of 58 on a row of 56), where tiles that end with the row would
// waste 8 of 64. Weights are packed by strips of output channels, tap by tap, so that twelve broadcasts read one cache line.
//
// Sums start anew after some 144 terms (whole input channels): a strip's weights for these stay in the nearest cache while
// several tiles pass, with the sums of these tiles, and short chains lose less precision. With fewer output channels the tile is wider instead, up to 8
// vectors, so that enough sums are under way.
#include <omp.h>

#include <algorithm>
#include <array>
#include <utility>

#include "rungs/convolution_padding.hpp"
#include "rungs/convolution_rungs.hpp"
#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"

namespace attention::convolutional {

namespace {

/// Vectors of pixels in a tile of `rows` output channels: as many sums as the matrix kernel has, and at most 8 vectors.
constexpr int vectors_of(int rows) { return std::min(8, simd::tile_vectors * simd::tile_rows / rows); }

constexpr Index widest_tile = 8 * simd::lanes;

/// Pixels of a strip whose sums are held: 12 kB, in the nearest cache, while the blocks of input channels are added.
constexpr Index sum_pixels = 16 * simd::lanes;
constexpr Index sum_stride = sum_pixels + simd::lanes;  ///< not a power of two, whose rows would share cache lines

/// What a tile reads: an input of `channels` planes, and the weights of a strip for these, tap by tap.
struct Taps {
  const float* input;  ///< the first output's upper left pixel, of the first channel
  Index plane;         ///< floats from one channel to the next
  Index row;           ///< floats from one image row to the next
  Index channels;
  Index kernel;
  const float* weight;  ///< [channels][kernel][kernel][rows of the strip]
};

/// sum[i][…] = start[i] + Σ taps (start null: the sum itself) for Rows output channels and Vectors vectors of pixels.
template <int Rows, int Vectors>
[[gnu::flatten]] void convolve_tile(const Taps& taps, const float* start, float* sum, Index stride) {
  simd::Float s[Rows][Vectors] = {};
  const float* weight = taps.weight;
  for (Index c = 0; c < taps.channels; ++c)
    for (Index u = 0; u < taps.kernel; ++u) {
      const float* pixel = taps.input + c * taps.plane + u * taps.row;
      for (Index v = 0; v < taps.kernel; ++v, ++pixel, weight += Rows) {
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
template <int Rows>
void convolve_strip(Taps taps, Index pixels, const float* start, float* sum, Index stride) {
  constexpr int vectors = vectors_of(Rows);
  Index at = 0;
  for (; at + vectors * simd::lanes <= pixels; at += vectors * simd::lanes, taps.input += vectors * simd::lanes)
    convolve_tile<Rows, vectors>(taps, start, sum + at, stride);
  for (; at < pixels; at += simd::lanes, taps.input += simd::lanes) convolve_tile<Rows, 1>(taps, start, sum + at, stride);
}

/// The same for any number of output channels up to tile_rows.
void convolve_strip(Index rows, const Taps& taps, Index pixels, const float* start, float* sum, Index stride) {
  using Kernel = void (*)(Taps, Index, const float*, float*, Index);
  static constexpr auto kernels = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Kernel, simd::tile_rows>{&convolve_strip<I + 1>...};
  }(std::make_integer_sequence<int, simd::tile_rows>{});
  kernels[static_cast<std::size_t>(rows - 1)](taps, pixels, start, sum, stride);
}

/// How the problem is cut. No output needs another: strips, bands and groups may follow the number of threads. The channels
/// that are summed from zero decide the order of the sums and follow the shape alone.
struct Cut {
  Index strips;    ///< of output channels
  Index strip;     ///< output channels in a strip, but for the last
  Index channels;  ///< input channels that are summed from zero
  Index row;       ///< floats in a row of the image with its border
  Index bands;     ///< of an image
  Index rows;      ///< output rows in a band
  Index groups;    ///< of strips: where there are too few bands for the threads
  Index plane;     ///< floats of one channel of a band, with the rows above and below

  Cut(const ConvolutionProblem& p, Index threads) {
    // Strips of equal height: 8 channels are 4 + 4, not 6 + 2.
    strips = (p.out_channels() + simd::tile_rows - 1) / simd::tile_rows;
    strip = (p.out_channels() + strips - 1) / strips;
    strips = (p.out_channels() + strip - 1) / strip;
    channels = std::clamp<Index>(convolution_tiled_terms / (p.kernel() * p.kernel()), 1, p.in_channels());
    row = p.width() + 2 * p.radius();
    // A band takes about a quarter of a second-level cache of 1 MB, and no less than four tiles.
    const Index fits = 65536 / (row * p.in_channels()) - 2 * p.radius();
    const Index least = (8 * simd::lanes + row - 1) / row;
    rows = std::clamp<Index>(threads == 1 ? fits : std::min(fits, p.batch() * p.height() / (4 * threads)), least, std::max(least, p.height()));
    bands = (p.height() + rows - 1) / rows;
    rows = (p.height() + bands - 1) / bands;
    bands = (p.height() + rows - 1) / rows;
    groups = threads == 1 ? 1 : std::clamp<Index>(2 * threads / (p.batch() * bands), 1, strips);
    plane = (rows + 2 * p.radius()) * row;
  }

  /// The last tap of the last channel reads a tile beyond its plane.
  Index input_size(const ConvolutionProblem& p) const { return p.in_channels() * plane + widest_tile + p.kernel(); }
  /// First strip of a group.
  Index first_strip(Index group) const { return strips * group / groups; }
};

/// The weights of one strip: [in_channels][kernel][kernel][output channels of the strip].
void pack_weights(const ConvolutionProblem& p, Index first, Index count, float* to) {
  const float* from = p.weight.data() + first * p.depth();
  Index term = 0;
  // A square of weights at a time, where so many output channels follow. Its rows are longer than the strip's: what one writes
  // too much the next one overwrites, and the last terms are left to the loop below.
  alignas(64) float square[simd::lanes * simd::lanes];
  for (; first + simd::lanes <= p.out_channels() && term + 2 * simd::lanes <= p.depth(); term += simd::lanes) {
    simd::transpose_square(from + term, p.depth(), square, simd::lanes);
    for (Index i = 0; i < simd::lanes; ++i) simd::store(to + (term + i) * count, simd::load(square + i * simd::lanes));
  }
  for (; term < p.depth(); ++term)
    for (Index i = 0; i < count; ++i) to[term * count + i] = from[i * p.depth() + term];
}

/// Outputs at … at + count of a band seen as one row, without those on the border: to the plane's rows from `first` on.
void write_rows(const Cut& cut, const float* sums, Index at, Index count, Index width, float* plane) {
  for (Index y = at / cut.row; y * cut.row < at + count; ++y) {
    const Index begin = std::max(at, y * cut.row);
    const Index end = std::min(at + count, y * cut.row + width);
    if (begin < end) std::copy_n(sums + begin - at, end - begin, plane + y * width + begin - y * cut.row);
  }
}

/// Output rows `first` … of one image, for the strips of one group. `input` holds the band with its border.
void convolve_band(const ConvolutionProblem& p, const Cut& cut, const float* weights, const float* input, Index b, Index first,
                   Index group, ConvolutionOutput& out) {
  alignas(64) float sums[simd::tile_rows * sum_stride];
  const Index taps = p.kernel() * p.kernel();
  const Index pixels = std::min(cut.rows, p.height() - first) * cut.row - 2 * p.radius();
  for (Index strip = cut.first_strip(group); strip < cut.first_strip(group + 1); ++strip)  // strips of output channels
    for (Index at = 0; at < pixels; at += sum_pixels) {                                    // stretches of the band
      const Index o = strip * cut.strip;
      const Index height = std::min(cut.strip, p.out_channels() - o);
      const Index count = std::min(sum_pixels, pixels - at);
      for (Index c = 0; c < p.in_channels(); c += cut.channels) {                          // blocks of input channels
        const Taps block{input + c * cut.plane + at, cut.plane, cut.row, std::min(cut.channels, p.in_channels() - c), p.kernel(),
                         weights + o * p.depth() + c * taps * height};
        convolve_strip(height, block, count, c == 0 ? p.bias.data() + o : nullptr, sums, sum_stride);
      }
      for (Index i = 0; i < height; ++i)
        write_rows(cut, sums + i * sum_stride, at, count, p.width(), out.plane_of(b, o + i) + first * p.width());
    }
}

}  // namespace

void convolution_tiled(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Cut cut(p, omp_get_max_threads());
  tensor::Buffer weights(static_cast<std::size_t>(p.out_channels() * p.depth()));
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index strip = 0; strip < cut.strips; ++strip) {
      const Index o = strip * cut.strip;
      pack_weights(p, o, std::min(cut.strip, p.out_channels() - o), weights.data() + o * p.depth());
    }
    tensor::Buffer input(static_cast<std::size_t>(cut.input_size(p)));
#pragma omp for collapse(3) schedule(dynamic)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index band = 0; band < cut.bands; ++band)
        for (Index group = 0; group < cut.groups; ++group) {
          const Index first = band * cut.rows;
          for (Index c = 0; c < p.in_channels(); ++c)
            pad_rows(p.image_of(b) + c * p.pixels(), p.height(), p.width(), p.radius(), first - p.radius(),
                     first + cut.rows + p.radius(), input.data() + c * cut.plane);
          convolve_band(p, cut, weights.data(), input.data(), b, first, group, out);
        }
  }
}

std::size_t convolution_tiled_workspace(const ConvolutionProblem& p) {
  const Index threads = omp_get_max_threads();
  const Cut cut(p, threads);
  return static_cast<std::size_t>(p.out_channels() * p.depth() + threads * cut.input_size(p)) * sizeof(float);
}

}  // namespace attention::convolutional
