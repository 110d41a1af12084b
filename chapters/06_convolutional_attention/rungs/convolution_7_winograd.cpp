// Beside rung 6, winograd: fewer multiplications (Lavin and Gray 2016). Not a step of the ladder: its sums are not the
// formula's.
//
// What changed: a square of m × m outputs is computed from its (m + 2)² pixels in another basis, in which a 3 × 3
// filter is a product of numbers: (m + 2)² products in the place of 9 m². The channels are summed in that basis, so
// each of its (m + 2)² coordinates is a matrix product, tiles × input channels × output channels: what the micro-kernel
// is for. The transforms run along vectors of channels, and 16 (36) products stand for 36 (144).
//
// What it costs: the transforms, and digits. Sums in that basis are larger than the outputs that come of them; m = 4
// saves more products and loses more digits than m = 2. A pixel that is NaN or infinite spoils the tiles that see it,
// not only the outputs.
#include <omp.h>

#include <algorithm>

#include "rungs/convolution_rungs.hpp"
#include "rungs/convolution_turned.hpp"
#include "rungs/winograd_transforms.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::convolutional {

namespace {

/// Floats of the transformed inputs and the products of a block of tiles: an eighth to a quarter of a second-level
/// cache.
constexpr Index block_floats = 1 << 16;
/// Floats of a band's input and output together.
constexpr Index band_floats = 1 << 16;

Index whole_vectors(Index channels) { return (channels + simd::lanes - 1) / simd::lanes * simd::lanes; }

/// How the problem is cut. No output needs another: bands and blocks may follow the number of threads.
template <int Outputs>
struct Cut {
  static constexpr Index side = Outputs + 2;  ///< of the square of pixels under a tile
  static constexpr Index coordinates = side * side;
  Index in, out;         ///< channels in whole vectors
  Index across, down;    ///< tiles of an image
  Index line;            ///< pixels in a row of the image with its border
  Index bands, highest;  ///< of an image; rows of tiles in the largest
  Index block;           ///< tiles that are worked on together
  Index input, product,
      filter;  ///< floats from one coordinate to the next: of a block's pixels and products, of the filters

  explicit Cut(const ConvolutionProblem& p)
      : in(whole_vectors(p.in_channels())),
        out(whole_vectors(p.out_channels())),
        across((p.width() + Outputs - 1) / Outputs),
        down((p.height() + Outputs - 1) / Outputs),
        line(across * Outputs + 2) {
    const Index threads = omp_get_max_threads();
    const Index fitting = std::max<Index>(1, band_floats / (Outputs * line * (in + out)));
    bands = std::max((down + fitting - 1) / fitting, (2 * threads + p.batch() - 1) / p.batch());
    // As many for every thread.
    if (p.batch() % threads != 0) bands = (bands + threads - 1) / threads * threads;
    bands = std::min(bands, down);
    highest = (down + bands - 1) / bands;
    block = std::max<Index>(1, block_floats / (coordinates * (in + out)) / simd::tile_rows) * simd::tile_rows;
    block = std::min(block, highest * across);
    // Not a multiple of a page, whose lines would all want the same places in the cache.
    input = block * in + simd::lanes;
    product = block * out + simd::lanes;
    filter = in * out + simd::lanes;
  }

  Index first(Index band) const { return down * band / bands; }
  Index filters() const { return coordinates * filter; }
  Index band_input() const { return (highest * Outputs + 2) * line * in; }
  Index band_output(const ConvolutionProblem& p) const { return highest * Outputs * p.width() * out; }
  Index scratch(const ConvolutionProblem& p) const {
    return band_input() + band_output(p) + coordinates * (input + product);
  }
};

/// G g Gᵀ of the filters of input channel c. `turned`: [3, 3, in, whole vectors of out]. to[coordinate][panel of
/// out][in][out of the panel].
template <int Outputs>
void transform_filters(const Cut<Outputs>& cut, Index channels, const float* turned, Index c, float* to) {
  for (Index o = 0; o < cut.out; o += simd::lanes) {
    simd::Float filter[9];
    simd::Float transformed[Cut<Outputs>::coordinates];
    simd::unrolled<9>([&](auto tap) { filter[tap] = simd::load(turned + (tap * channels + c) * cut.out + o); });
    transform_square<WinogradTransforms<Outputs>::of_filter>(filter, transformed);
    const Index panel = o / simd::panel_columns * simd::panel_columns;
    const Index width = std::min<Index>(simd::panel_columns, cut.out - panel);
    float* place = to + panel * cut.in + c * width + o - panel;
    for (Index i = 0; i < Cut<Outputs>::coordinates; ++i) simd::store(place + i * cut.filter, transformed[i]);
  }
}

/// Bᵀ d B of the tile whose first pixel is `pixels`. to[coordinate][tile][in].
template <int Outputs>
[[gnu::flatten]] void transform_input(const Cut<Outputs>& cut, const float* pixels, float* to) {
  constexpr int side = Outputs + 2;
  for (Index c = 0; c < cut.in; c += simd::lanes) {
    simd::Float seen[side * side];
    simd::Float transformed[side * side];
    simd::unrolled<side>([&](auto y) __attribute__((always_inline)) {
      simd::unrolled<side>([&](auto x) __attribute__((always_inline)) {
        seen[y * side + x] = simd::load(pixels + (y * cut.line + x) * cut.in + c);
      });
    });
    transform_square<WinogradTransforms<Outputs>::of_input>(seen, transformed);
    simd::unrolled<side * side>([&](auto i) __attribute__((always_inline)) {
      simd::store(to + i * cut.input + c, transformed[i]);
    });
  }
}

/// Aᵀ m A and the bias, to the rows × columns of the tile's outputs that lie in the image. from[coordinate][tile][out].
template <int Outputs>
[[gnu::flatten]] void transform_products(const Cut<Outputs>& cut, const float* from, const float* bias, Index rows,
                                         Index columns, Index width, float* to) {
  constexpr int side = Outputs + 2;
  for (Index o = 0; o < cut.out; o += simd::lanes) {
    simd::Float products[side * side];
    simd::Float outputs[Outputs * Outputs];
    simd::unrolled<side * side>([&](auto i) __attribute__((always_inline)) {
      products[i] = simd::load(from + i * cut.product + o);
    });
    transform_square<WinogradTransforms<Outputs>::of_products>(products, outputs);
    const simd::Float b = simd::load(bias + o);
    for (Index y = 0; y < rows; ++y)
      for (Index x = 0; x < columns; ++x) simd::store(to + (y * width + x) * cut.out + o, outputs[y * Outputs + x] + b);
  }
}

/// M = V · U of one block of tiles, coordinate by coordinate.
template <int Outputs>
void multiply_block(const Cut<Outputs>& cut, Index tiles, Index channels, const float* inputs, const float* filters,
                    float* products) {
  for (Index i = 0; i < Cut<Outputs>::coordinates; ++i)
    for (Index o = 0; o < cut.out; o += simd::panel_columns) {
      const Index width = std::min<Index>(simd::panel_columns, cut.out - o);
      for (Index tile = 0; tile < tiles; tile += simd::tile_rows)
        simd::multiply_strip<simd::Into::replace>(
            std::min<Index>(simd::tile_rows, tiles - tile), channels, winograd_terms,
            inputs + i * cut.input + tile * cut.in, cut.in, filters + i * cut.filter + o * cut.in, width,
            products + i * cut.product + tile * cut.out + o, cut.out, static_cast<int>(width / simd::lanes));
    }
}

template <int Outputs>
void convolve_band(const ConvolutionProblem& p, const Cut<Outputs>& cut, Index b, Index band, const float* filters,
                   const float* bias, float* scratch, ConvolutionOutput& out) {
  float* image = scratch;
  float* outputs = image + cut.band_input();
  float* inputs = outputs + cut.band_output(p);
  float* products = inputs + Cut<Outputs>::coordinates * cut.input;
  const Index first = cut.first(band) * Outputs, tiles = (cut.first(band + 1) - cut.first(band)) * cut.across;
  const Index rows = std::min(tiles / cut.across * Outputs, p.height() - first);
  turn_in(p, p.image_of(b), p.in_channels(), first - 1, tiles / cut.across * Outputs + 2, cut.line, cut.in, image);
  for (Index from = 0; from < tiles; from += cut.block) {
    const Index count = std::min(cut.block, tiles - from);
    for (Index tile = from; tile < from + count; ++tile)
      transform_input(cut, image + (tile / cut.across * cut.line + tile % cut.across) * Outputs * cut.in,
                      inputs + (tile - from) * cut.in);
    multiply_block(cut, count, p.in_channels(), inputs, filters, products);
    for (Index tile = from; tile < from + count; ++tile) {
      const Index y = tile / cut.across * Outputs, x = tile % cut.across * Outputs;
      transform_products(cut, products + (tile - from) * cut.out, bias, std::min<Index>(Outputs, rows - y),
                         std::min<Index>(Outputs, p.width() - x), p.width(), outputs + (y * p.width() + x) * cut.out);
    }
  }
  turn_out(p, b, first, rows, cut.out, outputs, out);
}

/// Floats of the weights, turned and in the other basis, and of the biases in whole vectors.
template <int Outputs>
Index shared_floats(const ConvolutionProblem& p, const Cut<Outputs>& cut) {
  return cut.filters() + p.depth() * (cut.out + p.out_channels()) + cut.out;
}

template <int Outputs>
void convolve(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Cut<Outputs> cut(p);
  tensor::UnsetBuffer shared(static_cast<std::size_t>(shared_floats(p, cut)));
  float* filters = shared.data();
  float* bias = filters + cut.filters();
  float* turned = bias + cut.out;
  // Lanes beyond the last channel are multiplied like the others, and never read.
  std::fill_n(bias, cut.out + p.depth() * cut.out, 0.F);
  std::copy_n(p.bias.data(), p.out_channels(), bias);
  turn_weights(p, cut.out, turned, turned + p.depth() * cut.out);
  tensor::UnsetBuffer scratch(static_cast<std::size_t>(omp_get_max_threads() * cut.scratch(p)));
#pragma omp parallel
  {
    float* own = scratch.data() + omp_get_thread_num() * cut.scratch(p);
    if (cut.in != p.in_channels()) std::fill_n(own, cut.band_input(), 0.F);
#pragma omp for schedule(static)
    for (Index c = 0; c < p.in_channels(); ++c) transform_filters(cut, p.in_channels(), turned, c, filters);
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index band = 0; band < cut.bands; ++band) convolve_band(p, cut, b, band, filters, bias, own, out);
  }
}

template <int Outputs>
std::size_t workspace(const ConvolutionProblem& p) {
  const Cut<Outputs> cut(p);
  return static_cast<std::size_t>(shared_floats(p, cut) + omp_get_max_threads() * cut.scratch(p)) * sizeof(float);
}

}  // namespace

std::string winograd_unable(const ConvolutionProblem& p) {
  return p.kernel() == 3 && p.dilation == 1 ? "" : "its transforms are those of a 3 × 3 kernel without dilation";
}
void convolution_winograd_2(const ConvolutionProblem& p, ConvolutionOutput& out) { convolve<2>(p, out); }
void convolution_winograd_4(const ConvolutionProblem& p, ConvolutionOutput& out) { convolve<4>(p, out); }
std::size_t convolution_winograd_2_workspace(const ConvolutionProblem& p) { return workspace<2>(p); }
std::size_t convolution_winograd_4_workspace(const ConvolutionProblem& p) { return workspace<4>(p); }

}  // namespace attention::convolutional
