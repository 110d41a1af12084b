// Rung 4, simd: vectors of neighbouring pixels, by the tile of the convolution's rung 5, as a strip of one output
// channel.
//
// What changed: a plane with its border is one long row, a tap is a shift, and eight vectors of pixels are summed at a
// time, so that eight chains are under way. What is left: every pixel is loaded once a tap, and the sums are copied
// from the long row into the image's rows.
#include <omp.h>

#include "rungs/convolution_strip.hpp"
#include "rungs/depthwise_plane.hpp"
#include "rungs/depthwise_rungs.hpp"

namespace attention::convolutional {

namespace {

/// The last tap reads a tile beyond its plane.
Index plane_size(const DepthwiseProblem& p) { return padded_size(p) + widest_tile + p.kernel(); }

}  // namespace

void depthwise_simd(const DepthwiseProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index row = p.width() + 2 * p.radius();
  const Index pixels = p.height() * row - 2 * p.radius();
#pragma omp parallel
  {
    tensor::Buffer padded(static_cast<std::size_t>(plane_size(p)));
    alignas(64) float sums[sum_stride];
#pragma omp for schedule(static)
    for (Index plane = 0; plane < p.planes(); ++plane) {
      pad_plane(p, plane, padded.data());
      const float bias = p.bias_of(plane);
      for (Index at = 0; at < pixels; at += sum_pixels) {
        const Index count = std::min(sum_pixels, pixels - at);
        const Taps taps{padded.data() + at, padded_size(p), row, 1, p.kernel(), p.weight_of(plane)};
        convolve_strip(1, taps, count, &bias, sums, sum_stride);
        write_rows(sums, at, count, row, p.width(), out.output.data() + plane * p.pixels(), p.width());
      }
    }
  }
}

std::size_t depthwise_simd_workspace(const DepthwiseProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads() * plane_size(p)) * sizeof(float);
}

}  // namespace attention::convolutional
