// Rung 4, channels last: both convolutions of the way back by the kernels that a training calls, band of rows by band
// of rows.
//
// What changed: the input's gradient is a convolution of G with the kernels turned by half a turn and their two kinds
// of channels exchanged, so forward's rung 6 computes it as it stands. A weight's gradient is a sum over the places,
// and with the channels last six neighbouring floats of a window times 64 output channels stay in registers while all
// places of a band pass. A band is turned once and serves both. Its places may go to any thread: each of a fixed number
// of parts of the bands has sums of its own, which are added in their order at the end. So the bits do not depend on
// the threads.
#include <omp.h>

#include <algorithm>

#include "rungs/convolution_backward_rungs.hpp"
#include "rungs/convolution_turned.hpp"
#include "rungs/map.hpp"

namespace attention::convolutional {

namespace {

/// Parts of the bands, each with weight gradients of its own. More would serve more threads, and cost more memory.
constexpr Index most_parts = 8;

/// How the work is cut, by the shape alone.
struct Cut {
  Index rows;    ///< of a band, the last one of an image may have fewer
  Index bands;   ///< of an image
  Index parts;   ///< of all bands
  Index input;   ///< floats of a band's input with its border
  Index border;  ///< … of its G
  Index inner;   ///< … of its G without the border
  Index found;   ///< … of its input's gradient

  explicit Cut(const ConvolutionBackwardProblem& p) {
    const Index line = (p.width() + 2 * p.radius()) * (p.in_channels() + 2 * p.out_channels());
    const Index fitting = std::max<Index>(1, turned_band_floats / line - 2 * p.radius());
    const Index wanted = (most_parts + p.batch() - 1) / p.batch();
    rows = std::clamp<Index>((p.height() + wanted - 1) / wanted, 1, fitting);
    bands = (p.height() + rows - 1) / rows;
    parts = std::min(most_parts, p.batch() * bands);
    const Index padded = (rows + 2 * p.radius()) * (p.width() + 2 * p.radius());
    input = padded * p.in_channels();
    border = padded * p.out_channels();
    inner = rows * p.width() * p.out_channels();
    found = rows * p.width() * p.in_channels();
  }
  Index scratch() const { return input + border + inner + found; }
};

/// One band: its input's gradient into `out`, its share of the weights' gradients, [kernel, kernel, in, out], onto
/// `weights`.
void backward_band(const ConvolutionBackwardProblem& p, const Cut& cut, Index b, Index first, const float* packed,
                   float* scratch, float* weights, ConvolutionBackwardOutput& out) {
  const Index rows = std::min(cut.rows, p.height() - first);
  const Index line = p.width() * p.out_channels(), side = p.radius() * p.out_channels();
  float* input = scratch;
  float* border = input + cut.input;
  float* inner = border + cut.border;
  float* found = inner + cut.inner;
  const simd::ConvolutionSizes sizes = sizes_of(p, rows);
  turn_in_with_border(p, p.image_of(b), p.in_channels(), first, rows, input);
  turn_in_with_border(p, p.gradient_of(b, 0), p.out_channels(), first, rows, border);
  for (Index y = 0; y < rows; ++y)
    std::copy_n(border + (y + p.radius()) * (line + 2 * side) + side, line, inner + y * line);
  simd::add_weight_gradient(sizes, input, inner, weights);
  simd::convolve(sizes.backwards(), border, packed, found);
  turn(found, p.in_channels(), rows * p.width(), p.in_channels(), out.plane_of(b, 0) + first * p.width(), p.pixels());
}

/// The parts' sums, [kernel, kernel, in, out], added in their order into the first, and turned to [out, in, kernel,
/// kernel].
void collect(const ConvolutionBackwardProblem& p, const Cut& cut, float* sums, float* scratch, float* to) {
  const Index taps = p.kernel() * p.kernel(), in = p.in_channels(), out = p.out_channels(), all = p.depth() * out;
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < all; ++i)
    for (Index part = 1; part < cut.parts; ++part) sums[i] += sums[part * all + i];
  for (Index c = 0; c < in; ++c)
    for (Index tap = 0; tap < taps; ++tap)
      std::copy_n(sums + (tap * in + c) * out, out, scratch + (c * taps + tap) * out);
  turn(scratch, out, p.depth(), out, to, p.depth());
}

}  // namespace

void convolution_backward_channels_last(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  prepare(p, out);
  const Cut cut(p);
  const Index weights = p.depth() * p.out_channels(), bands = p.batch() * cut.bands;
  const simd::ConvolutionSizes backwards = sizes_of(p, cut.rows).backwards();
  tensor::UnsetBuffer turned(static_cast<std::size_t>(2 * weights));
  tensor::UnsetBuffer packed(static_cast<std::size_t>(backwards.packed_size()));
  tensor::UnsetBuffer sums(static_cast<std::size_t>(cut.parts * weights));
  tensor::UnsetBuffer scratch(static_cast<std::size_t>(omp_get_max_threads() * cut.scratch()));
  turn_weights(p, p.out_channels(), turned.data(), turned.data() + weights);
  simd::turn_weights(sizes_of(p, cut.rows), turned.data(), turned.data() + weights);
  simd::pack_weights(backwards, turned.data() + weights, packed.data());
#pragma omp parallel
  {
    float* own = scratch.data() + omp_get_thread_num() * cut.scratch();
#pragma omp for schedule(static) nowait
    for (Index part = 0; part < cut.parts; ++part) {
      float* sum = sums.data() + part * weights;
      std::fill_n(sum, weights, 0.F);
      for (Index i = part * bands / cut.parts; i < (part + 1) * bands / cut.parts; ++i)
        backward_band(p, cut, i / cut.bands, i % cut.bands * cut.rows, packed.data(), own, sum, out);
    }
#pragma omp for schedule(static)
    for (Index o = 0; o < p.out_channels(); ++o) {
      float sum = 0;
      for (Index b = 0; b < p.batch(); ++b) sum += map_sum(p.gradient_of(b, o), p.pixels());
      out.bias_gradient.data()[o] = sum;
    }
  }
  collect(p, cut, sums.data(), turned.data(), out.weight_gradient.data());
}

std::size_t convolution_backward_channels_last_workspace(const ConvolutionBackwardProblem& p) {
  const Cut cut(p);
  const Index weights = (2 + cut.parts) * p.depth() * p.out_channels() + sizes_of(p, 1).backwards().packed_size();
  return static_cast<std::size_t>(weights + omp_get_max_threads() * cut.scratch()) * sizeof(float);
}

}  // namespace attention::convolutional
