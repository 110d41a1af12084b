#pragma once

#include <omp.h>

#include <algorithm>

#include "coordinate.hpp"

/// The passes that coordinate attention makes, for the rungs that make each of them over the whole batch before the next begins.
namespace attention::convolutional {

/// All means, then all gates, then all products: the maps pass through memory twice, the output once. `Parts` says how each part is
/// done.
template <class Parts>
void coordinate_in_passes(const CoordinateProblem& p, CoordinateOutput& out, bool parallel) {
  prepare(p, out);
  const Index channels = p.channels();
  const Index height = p.height();
  const Index width = p.width();
  tensor::Buffer pooled(static_cast<std::size_t>(p.batch() * channels * p.lines()));  // [batch, channels, rows then columns]
#pragma omp parallel if (parallel)
  {
    tensor::Buffer scratch(static_cast<std::size_t>(std::max(p.hidden() * p.lines(), Parts::factors(p))));
#pragma omp for schedule(static)
    for (Index m = 0; m < p.batch() * channels; ++m) {
      float* rows = pooled.data() + m * p.lines();
      Parts::means(p.input.data() + m * p.places(), height, width, rows, rows + height);
    }
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      Parts::gates(p, pooled.data() + b * channels * p.lines(), scratch.data(), out.row_gate_of(b), out.column_gate_of(b));
#pragma omp for schedule(static)
    for (Index m = 0; m < p.batch() * channels; ++m)
      Parts::multiply(p.input.data() + m * p.places(), height, width, out.row_gate.data() + m * height,
                      out.column_gate.data() + m * width, scratch.data(), out.output.data() + m * p.places());
  }
}

/// The parts in plain loops.
struct CoordinatePlain {
  /// Floats of scratch memory that a multiplication takes.
  static Index factors(const CoordinateProblem&) { return 0; }

  static void means(const float* x, Index height, Index width, float* rows, float* columns) {
    std::fill_n(columns, width, 0.F);
    for (Index i = 0; i < height; ++i) {
      float sum = 0;
      for (Index j = 0; j < width; ++j) {
        sum += x[i * width + j];
        columns[j] += x[i * width + j];
      }
      rows[i] = sum / static_cast<float>(width);
    }
    for (Index j = 0; j < width; ++j) columns[j] /= static_cast<float>(height);
  }

  /// to[o][place] = bias_o + Σ_c weight_oc values[c][place] for `places` places; `values` has `stride` floats from one c to the next.
  static void mix(const Tensor<2>& weight, const Tensor<1>& bias, const float* values, Index stride, Index places, float* to) {
    const Index inputs = tensor::extent(weight, 1);
    for (Index o = 0; o < tensor::extent(weight, 0); ++o, to += places) {
      std::fill_n(to, places, bias.data()[o]);
      for (Index c = 0; c < inputs; ++c)
        for (Index i = 0; i < places; ++i) to[i] += weight.data()[o * inputs + c] * values[c * stride + i];
    }
  }

  /// `pooled` [channels, rows then columns] → `hidden` [hidden, rows then columns] → both gates.
  static void gates(const CoordinateProblem& p, const float* pooled, float* hidden, float* rows, float* columns) {
    const Index lines = p.lines();
    mix(p.reduce_weight, p.reduce_bias, pooled, lines, lines, hidden);
    for (Index i = 0; i < p.hidden() * lines; ++i) hidden[i] = hard_swish(hidden[i]);
    mix(p.row_weight, p.row_bias, hidden, lines, p.height(), rows);
    mix(p.column_weight, p.column_bias, hidden + p.height(), lines, p.width(), columns);
    for (Index i = 0; i < p.channels() * p.height(); ++i) rows[i] = sigmoid(rows[i]);
    for (Index i = 0; i < p.channels() * p.width(); ++i) columns[i] = sigmoid(columns[i]);
  }

  static void multiply(const float* x, Index height, Index width, const float* row_gate, const float* column_gate, float*, float* to) {
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j) to[i * width + j] = row_gate[i] * column_gate[j] * x[i * width + j];
  }
};

}  // namespace attention::convolutional
