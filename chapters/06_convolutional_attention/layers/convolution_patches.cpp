// A convolution by patches (Chellapilla et al. 2006): weights [group_out × depth] times patches [depth × outputs].
//
// Chapter 6's ladder is about stride 1 and a border that keeps the size; this takes what comes. Only a block of patches exists at
// a time, in panels as the micro-kernel reads them: it stays in the second-level cache between being written and being read.
#include <omp.h>

#include <algorithm>

#include "layers/convolution_paths.hpp"
#include "simd/matrix_product.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::convolutional {

namespace {

/// Floats of a block of patches: half of a second-level cache of 1 MB.
constexpr Index block_floats = 1 << 17;

/// How the work is cut: images, groups, blocks of outputs, and strips of output channels where these are too few for the threads.
struct Cut {
  Index block;   ///< outputs of a block
  Index blocks;  ///< of an image
  Index strip;   ///< output channels of a strip
  Index strips;  ///< of a group

  Cut(const ConvolutionLayer& layer, Index threads) {
    const Index outputs = layer.window.outputs();
    const Index panels = std::clamp<Index>(block_floats / (std::max<Index>(layer.depth(), 1) * simd::panel_columns), 1, 16);
    block = panels * simd::panel_columns;
    blocks = (outputs + block - 1) / block;
    const Index tasks = std::max<Index>(layer.batch * layer.groups * blocks, 1);
    const Index wanted = tasks >= 2 * threads ? 1 : (2 * threads + tasks - 1) / tasks;
    const Index least = 4 * simd::tile_rows;
    strip = std::max((layer.group_out() + wanted - 1) / wanted, least);
    strip = (strip + simd::tile_rows - 1) / simd::tile_rows * simd::tile_rows;
    strips = (layer.group_out() + strip - 1) / strip;
  }
};

/// Copies `count` inputs that are `stride` apart, from place `at` of a row on: zeros where the row has none.
void copy_row(const float* row, Index length, Index at, Index stride, Index count, float* to) {
  const Index first = std::clamp<Index>(at >= 0 ? 0 : (-at + stride - 1) / stride, 0, count);
  const Index last = std::clamp<Index>(at >= length ? 0 : (length - at + stride - 1) / stride, first, count);
  if (first == last) {
    std::fill_n(to, count, 0.F);
    return;
  }
  std::fill(to, to + first, 0.F);
  if (stride == 1)
    std::copy_n(row + (at + first), last - first, to + first);
  else
    for (Index i = first; i < last; ++i) to[i] = row[at + i * stride];
  std::fill(to + last, to + count, 0.F);
}

/// One tap of one channel for outputs first … first + count − 1: one row of a panel.
void pack_tap(const Window& w, const float* plane, const std::array<Index, 3>& tap, Index first, Index count, float* to) {
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  for (Index p = first; p < first + count;) {
    const Index ox = p % x.output;
    const Index oy = p / x.output % y.output;
    const Index oz = p / x.output / y.output;
    const Index run = std::min(x.output - ox, first + count - p);
    const Index iz = z.at(oz, tap[0]);
    const Index iy = y.at(oy, tap[1]);
    if (iz < 0 || iz >= z.input || iy < 0 || iy >= y.input)
      std::fill_n(to, run, 0.F);
    else
      copy_row(plane + (iz * y.input + iy) * x.input, x.input, x.at(ox, tap[2]), x.stride, run, to);
    to += run;
    p += run;
  }
}

/// Patches of outputs first … first + count − 1 of one group of an image as columns, in panels: to[panel][depth][panel_columns].
void pack_patches(const ConvolutionLayer& layer, const float* image, Index first, Index count, float* to) {
  const Window& w = layer.window;
  for (Index p = 0; p < count; p += simd::panel_columns) {
    const Index width = std::min<Index>(simd::panel_columns, count - p);
    for (Index c = 0; c < layer.group_in(); ++c)
      for (Index tz = 0; tz < w.axes[0].kernel; ++tz)
        for (Index ty = 0; ty < w.axes[1].kernel; ++ty)
          for (Index tx = 0; tx < w.axes[2].kernel; ++tx) {
            pack_tap(w, image + c * w.inputs(), {tz, ty, tx}, first + p, width, to);
            std::fill(to + width, to + simd::panel_columns, 0.F);
            to += simd::panel_columns;
          }
  }
}

}  // namespace

void convolve_by_patches(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output) {
  const Index outputs = layer.window.outputs();
  const Index depth = layer.depth();
  const Index threads = omp_get_max_threads();
  const Cut cut(layer, threads);
  const Index own = cut.block * depth;
  // Taken before the threads begin: an exception may not leave one.
  tensor::UnsetBuffer scratch(static_cast<std::size_t>(threads * own));
#pragma omp parallel for collapse(4) schedule(dynamic)
  for (Index b = 0; b < layer.batch; ++b)
    for (Index g = 0; g < layer.groups; ++g)
      for (Index block = 0; block < cut.blocks; ++block)
        for (Index strip = 0; strip < cut.strips; ++strip) {
          float* patches = scratch.data() + omp_get_thread_num() * own;
          const Index first = block * cut.block;
          const Index count = std::min(cut.block, outputs - first);
          const Index o = g * layer.group_out() + strip * cut.strip;
          const Index height = std::min(cut.strip, layer.group_out() - strip * cut.strip);
          pack_patches(layer, input + (b * layer.in_channels + g * layer.group_in()) * layer.window.inputs(), first, count, patches);
          float* to = output + (b * layer.out_channels + o) * outputs + first;
          simd::multiply_packed(height, count, depth, weight + o * depth, depth, patches, to, outputs);
          for (Index i = 0; bias && i < height; ++i)
            for (Index p = 0; p < count; ++p) to[i * outputs + p] += bias[o + i];
        }
}

}  // namespace attention::convolutional
