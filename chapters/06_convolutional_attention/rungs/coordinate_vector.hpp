#pragma once

#include "rungs/coordinate_passes.hpp"
#include "rungs/line_means.hpp"
#include "rungs/places.hpp"
#include "rungs/scale_lines.hpp"

namespace attention::convolutional {

/// The parts of coordinate attention by vectors. With `past_caches` the output goes to memory directly.
template <bool past_caches>
struct CoordinateVector {
  static Index factors(const CoordinateProblem& p) { return scale_lines_scratch(p.height(), p.width()); }

  static void means(const float* x, Index height, Index width, float* rows, float* columns) { line_means(x, height, width, rows, columns); }

  static void gates(const CoordinateProblem& p, const float* pooled, float* hidden, float* rows, float* columns) {
    const Index lines = p.lines();
    mix_channels(pooled, lines, lines, p.channels(), p.reduce_weight.data(), p.reduce_bias.data(), p.hidden(), hidden, lines);
#pragma omp simd
    for (Index i = 0; i < p.hidden() * lines; ++i) hidden[i] = hard_swish(hidden[i]);
    mix_channels(hidden, lines, p.height(), p.hidden(), p.row_weight.data(), p.row_bias.data(), p.channels(), rows, p.height());
    mix_channels(hidden + p.height(), lines, p.width(), p.hidden(), p.column_weight.data(), p.column_bias.data(), p.channels(), columns,
                 p.width());
    sigmoid_row(rows, p.channels() * p.height(), rows);
    sigmoid_row(columns, p.channels() * p.width(), columns);
  }

  static void multiply(const float* x, Index height, Index width, const float* row_gate, const float* column_gate, float* scratch,
                       float* to) {
    scale_lines<past_caches>(x, height, width, row_gate, column_gate, scratch, to);
  }
  /// The same, and the map `next` is asked for meanwhile.
  static void multiply_and_ask(const float* x, Index height, Index width, const float* row_gate, const float* column_gate, float* scratch,
                               float* to, const float* next) {
    scale_lines<past_caches>(x, height, width, row_gate, column_gate, scratch, to,
                             [&](Index at) __attribute__((always_inline)) { ask(next + at); });
  }
};

}  // namespace attention::convolutional
