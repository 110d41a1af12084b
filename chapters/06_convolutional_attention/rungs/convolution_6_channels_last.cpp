// Rung 6, channels last: the image is turned to [height, width, channels], convolved there, and turned back.
//
// What changed: in the tiles of rung 5 a vector holds neighbouring pixels, so shifted ones are read across two cache lines, and a row of 56
// pixels is no whole number of vectors. With the channels last a vector holds output channels: 64 of them are four vectors, whatever the
// width. The pixels under a row of the kernel are one run of kernel · channels floats, so a tile of six pixels walks six runs, reads one vector of
// weights after the other in order, and never meets a border. What it costs: two transpositions, in bands of rows that stay in the second-level cache.
#include <omp.h>

#include <algorithm>

#include "rungs/convolution_rungs.hpp"
#include "rungs/convolution_turned.hpp"

namespace attention::convolutional {

namespace {

/// Rows of a band: as many as the cache holds, and so few that every thread has one.
Index band_rows(const ConvolutionProblem& p) {
  const Index row = (p.width() + 2 * p.radius()) * (p.in_channels() + p.out_channels());
  const Index fitting = std::max<Index>(1, turned_band_floats / row - 2 * p.radius());
  const Index bands = (p.batch() + 2 * omp_get_max_threads() - 1) / p.batch();
  return std::clamp<Index>((p.height() + bands - 1) / bands, 1, fitting);
}

Index band_input(const ConvolutionProblem& p) { return (band_rows(p) + 2 * p.radius()) * (p.width() + 2 * p.radius()) * p.in_channels(); }
Index band_output(const ConvolutionProblem& p) { return band_rows(p) * p.width() * p.out_channels(); }

}  // namespace

void convolution_channels_last(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index rows = band_rows(p), bands = (p.height() + rows - 1) / rows;
  const Index own = band_input(p) + band_output(p);
  const simd::ConvolutionSizes whole = sizes_of(p, rows);
  const Index weights = p.depth() * p.out_channels();
  tensor::UnsetBuffer turned(static_cast<std::size_t>(2 * weights));
  tensor::UnsetBuffer packed(static_cast<std::size_t>(whole.packed_size()));
  tensor::UnsetBuffer scratch(static_cast<std::size_t>(omp_get_max_threads() * own));
  turn_weights(p, p.out_channels(), turned.data(), turned.data() + weights);
  simd::pack_weights(whole, turned.data(), packed.data());
#pragma omp parallel for collapse(2) schedule(static)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index band = 0; band < bands; ++band) {
      float* input = scratch.data() + omp_get_thread_num() * own;
      float* output = input + band_input(p);
      const Index first = band * rows, count = std::min(rows, p.height() - first);
      turn_in_with_border(p, p.image_of(b), p.in_channels(), first, count, input);
      simd::convolve(sizes_of(p, count), input, packed.data(), output, p.bias.data());
      turn_out(p, b, first, count, p.out_channels(), output, out);
    }
}

std::size_t convolution_channels_last_workspace(const ConvolutionProblem& p) {
  const Index weights = 2 * p.depth() * p.out_channels() + sizes_of(p, 1).packed_size();
  return static_cast<std::size_t>(weights + omp_get_max_threads() * (band_input(p) + band_output(p))) * sizeof(float);
}

}  // namespace attention::convolutional
