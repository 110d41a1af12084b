// A convolution of one input channel a group ("depthwise"), tap by tap.
//
// A product of matrices would have one row a group and nothing to reuse. So each tap's weight is multiplied with a whole row of the
// input and added to the row of the output; the row stays in the first-level cache while the taps pass. Where the tap lies beyond
// the border there is nothing to add: the range of outputs that it meets is worked out before.
#include <algorithm>

#include "layers/convolution_paths.hpp"

namespace attention::convolutional {

namespace {

/// to[range] += weight · the inputs that tap t of the last axis meets.
void add_tap(const Axis& x, Index t, float weight, const float* row, float* to) {
  const Range range = x.outputs(t);
  if (range.size() == 0) return;
  const float* from = row + x.at(range.from, t);
  float* sums = to + range.from;
  const Index count = range.size();
  if (x.stride == 1) {
#pragma omp simd
    for (Index i = 0; i < count; ++i) sums[i] += weight * from[i];
  } else {
    for (Index i = 0; i < count; ++i) sums[i] += weight * from[i * x.stride];
  }
}

}  // namespace

void convolve_by_taps(const ConvolutionLayer& layer, const float* input, const float* weight, const float* bias, float* output) {
  const Window& w = layer.window;
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  const Index rows = z.output * y.output;
#pragma omp parallel for collapse(3) schedule(static)
  for (Index b = 0; b < layer.batch; ++b)
    for (Index o = 0; o < layer.out_channels; ++o)
      for (Index row = 0; row < rows; ++row) {
        const float* plane = input + (b * layer.in_channels + o / layer.group_out()) * w.inputs();
        float* to = output + ((b * layer.out_channels + o) * rows + row) * x.output;
        std::fill_n(to, x.output, bias ? bias[o] : 0.F);
        const Range over_z = z.taps(row / y.output);
        const Range over_y = y.taps(row % y.output);
        for (Index tz = over_z.from; tz < over_z.to; ++tz)
          for (Index ty = over_y.from; ty < over_y.to; ++ty) {
            const float* from = plane + (z.at(row / y.output, tz) * y.input + y.at(row % y.output, ty)) * x.input;
            const float* taps = weight + ((o * z.kernel + tz) * y.kernel + ty) * x.kernel;
            for (Index tx = 0; tx < x.kernel; ++tx) add_tap(x, tx, taps[tx], from, to);
          }
      }
}

}  // namespace attention::convolutional
