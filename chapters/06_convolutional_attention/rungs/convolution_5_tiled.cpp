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

#include "rungs/convolution_padding.hpp"
#include "rungs/convolution_rungs.hpp"
#include "rungs/convolution_strip.hpp"

namespace attention::convolutional {

namespace {

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
                         weights + o * p.depth() + c * taps * height, p.dilation};
        convolve_strip(height, block, count, c == 0 ? p.bias.data() + o : nullptr, sums, sum_stride);
      }
      for (Index i = 0; i < height; ++i)
        write_rows(sums + i * sum_stride, at, count, cut.row, p.width(), out.plane_of(b, o + i) + first * p.width(), p.width());
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
      pack_weights(p.weight.data(), p.depth(), p.out_channels(), o, std::min(cut.strip, p.out_channels() - o),
                   weights.data() + o * p.depth());
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
