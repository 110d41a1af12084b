// Rung 4, im2col: every patch becomes a column of a matrix, and the convolution one matrix product (Chellapilla et al. 2006).
//
// What changed: weights [out × depth] times patches [depth × pixels], depth = in_channels · kernel². A matrix product is what
// the micro-kernel is for: 6 output channels × 64 pixels stay in registers. The patches are stored in panels of 64 pixels, as
// the kernel reads them. What it costs: each pixel is written kernel² times, and the matrix is kernel² times the image.
#include <algorithm>

#include "rungs/convolution_padding.hpp"
#include "rungs/convolution_rungs.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::convolutional {

namespace {

/// Terms after which a sum starts anew.
constexpr Index block = 16;

/// Panels of 32 pixels that one image has.
Index panels_of(const ConvolutionProblem& p) { return (p.pixels() + simd::panel_columns - 1) / simd::panel_columns; }

/// The patches of pixels first … first + 31 as columns: to[depth][32]; columns beyond the last pixel are zeros.
void pack_patches(const ConvolutionProblem& p, const float* padded, Index first, float* to) {
  const Index kernel = p.kernel();
  const Index row = p.width() + 2 * p.radius();
  const Index last = std::min<Index>(first + simd::panel_columns, p.pixels());
  for (Index c = 0; c < p.in_channels(); ++c)
    for (Index u = 0; u < kernel; ++u)
      for (Index v = 0; v < kernel; ++v) {
        const float* from = padded + c * padded_size(p) + p.dilation * (u * row + v);
        float* column = to;
        for (Index pixel = first; pixel < last;) {
          const Index x = pixel % p.width();
          const Index run = std::min(p.width() - x, last - pixel);
          column = std::copy_n(from + pixel / p.width() * row + x, run, column);
          pixel += run;
        }
        std::fill(column, to + simd::panel_columns, 0.F);
        to += simd::panel_columns;
      }
}

/// output[all channels][pixels of one panel] = bias + weight · patches.
void multiply_panel(const ConvolutionProblem& p, const float* patches, Index b, Index first, ConvolutionOutput& out) {
  alignas(64) float tile[simd::tile_rows * simd::panel_columns];
  const Index width = std::min<Index>(simd::panel_columns, p.pixels() - first);
  for (Index o = 0; o < p.out_channels(); o += simd::tile_rows) {
    const Index height = std::min<Index>(simd::tile_rows, p.out_channels() - o);
    simd::multiply_strip_pairwise(height, p.depth(), block, p.weight.data() + o * p.depth(), p.depth(), patches,
                                  simd::panel_columns, tile, simd::panel_columns);
    for (Index y = 0; y < height; ++y)
      for (Index x = 0; x < width; ++x)
        out.plane_of(b, o + y)[first + x] = p.bias.data()[o + y] + tile[y * simd::panel_columns + x];
  }
}

}  // namespace

void convolution_im2col(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index panels = panels_of(p);
  const Index panel_size = p.depth() * simd::panel_columns;
  tensor::Buffer padded(static_cast<std::size_t>(p.in_channels() * padded_size(p)));
  tensor::Buffer patches(static_cast<std::size_t>(panels * panel_size));
#pragma omp parallel
  for (Index b = 0; b < p.batch(); ++b) {
#pragma omp for schedule(static)
    for (Index c = 0; c < p.in_channels(); ++c) pad_plane(p, b, c, padded.data() + c * padded_size(p));
#pragma omp for schedule(static)
    for (Index i = 0; i < panels; ++i) pack_patches(p, padded.data(), i * simd::panel_columns, patches.data() + i * panel_size);
#pragma omp for schedule(static)
    for (Index i = 0; i < panels; ++i) multiply_panel(p, patches.data() + i * panel_size, b, i * simd::panel_columns, out);
  }
}

std::size_t convolution_im2col_workspace(const ConvolutionProblem& p) {
  return static_cast<std::size_t>(p.in_channels() * padded_size(p) + panels_of(p) * p.depth() * simd::panel_columns) * sizeof(float);
}

}  // namespace attention::convolutional
