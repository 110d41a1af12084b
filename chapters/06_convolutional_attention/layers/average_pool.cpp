#include <cmath>
#include <vector>

#include "layers/pooling.hpp"

namespace attention::convolutional {

namespace {

/// How many places of each output's window count along one axis.
std::vector<double> counts(const Axis& axis, bool count_padding) {
  std::vector<double> count(static_cast<std::size_t>(axis.output));
  for (Index o = 0; o < axis.output; ++o)
    count[static_cast<std::size_t>(o)] = static_cast<double>(count_padding ? axis.padded_taps(o) : axis.taps(o).size());
  return count;
}

/// Sums of one row of outputs: tap by tap, whole rows at a time.
void sum_row(const Window& w, const float* plane, Index row, double* sums) {
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  const Range over_z = z.taps(row / y.output);
  const Range over_y = y.taps(row % y.output);
  const Range over_x = x.met_taps();
  for (Index tz = over_z.from; tz < over_z.to; ++tz)
    for (Index ty = over_y.from; ty < over_y.to; ++ty) {
      const float* from = plane + (z.at(row / y.output, tz) * y.input + y.at(row % y.output, ty)) * x.input;
      for (Index tx = over_x.from; tx < over_x.to; ++tx) {
        const Range range = x.outputs(tx);
        for (Index o = range.from; o < range.to; ++o) sums[o] += static_cast<double>(from[x.at(o, tx)]);
      }
    }
}

}  // namespace

void average_pool(const Window& w, Index planes, const float* input, bool count_padding, float* output) {
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  const Index rows = z.output * y.output;
  const std::vector<double> of_z = counts(z, count_padding);
  const std::vector<double> of_y = counts(y, count_padding);
  const std::vector<double> of_x = counts(x, count_padding);
  std::vector<double> sums(static_cast<std::size_t>(planes * rows * x.output), 0);
#pragma omp parallel for collapse(2) schedule(static)
  for (Index plane = 0; plane < planes; ++plane)
    for (Index row = 0; row < rows; ++row) {
      const Index at = (plane * rows + row) * x.output;
      sum_row(w, input + plane * w.inputs(), row, sums.data() + at);
      const double others = of_z[static_cast<std::size_t>(row / y.output)] * of_y[static_cast<std::size_t>(row % y.output)];
      for (Index o = 0; o < x.output; ++o)
        output[at + o] = static_cast<float>(sums[static_cast<std::size_t>(at + o)] / (others * of_x[static_cast<std::size_t>(o)]));
    }
}

void global_average_pool(Index planes, Index places, const float* input, float* output) {
#pragma omp parallel for schedule(static)
  for (Index plane = 0; plane < planes; ++plane) {
    double sum = 0;
    for (Index i = 0; i < places; ++i) sum += static_cast<double>(input[plane * places + i]);
    output[plane] = static_cast<float>(sum / static_cast<double>(places));
  }
}

}  // namespace attention::convolutional
