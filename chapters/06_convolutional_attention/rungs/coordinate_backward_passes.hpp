#pragma once

#include "rungs/channel_gate.hpp"
#include "rungs/coordinate_backward_layers.hpp"
#include "rungs/coordinate_passes.hpp"
#include "rungs/line_gradients.hpp"

/// The backward pass of coordinate attention in passes over the batch: what the rungs "loops", "openmp" and "simd" do.
namespace attention::convolutional {

/// da of all maps, then all images' layers, then dx of all maps: x is read once, dy twice.
template <class Parts>
void coordinate_backward_in_passes(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out, bool parallel) {
  prepare(p, out);
  const CoordinateProblem& f = p.forward;
  const Index height = f.height();
  const Index width = f.width();
  const Index channels = f.channels();
  const GatheredParts parts(f.batch());
  const CoordinateTransposed turned(f);
  tensor::Buffer rows(static_cast<std::size_t>(f.batch() * channels * height));
  tensor::Buffer columns(static_cast<std::size_t>(f.batch() * channels * width));
  tensor::Buffer partial(static_cast<std::size_t>(parts.count * CoordinateSums::floats(f)));
#pragma omp parallel if (parallel)
  {
    tensor::Buffer scratch(static_cast<std::size_t>(std::max(layers_scratch(f), Parts::scratch(f))));
#pragma omp for schedule(static)
    for (Index m = 0; m < f.batch() * channels; ++m)
      Parts::gather(p, m, rows.data() + m * height, columns.data() + m * width);
#pragma omp for schedule(static)
    for (Index part = 0; part < parts.count; ++part)
      for (Index b = parts.first_of(part); b < parts.first_of(part + 1); ++b)
        layers_backward<Parts>(p, b, turned, scratch.data(), partial.data() + part * CoordinateSums::floats(f),
                               rows.data() + b * channels * height, columns.data() + b * channels * width);
#pragma omp for schedule(static)
    for (Index m = 0; m < f.batch() * channels; ++m)
      Parts::spread(p, m, rows.data() + m * height, columns.data() + m * width, scratch.data(), out);
  }
  finish_sums(f, parts.count, partial, out);
}

/// The parts in plain loops.
struct CoordinateBackwardPlain {
  static Index scratch(const CoordinateProblem&) { return 0; }

  /// da of map m, counted through the batch.
  static void gather(const CoordinateBackwardProblem& p, Index m, float* rows, float* columns) {
    const CoordinateProblem& f = p.forward;
    const float* x = f.input.data() + m * f.places();
    const float* dy = p.output_gradient.data() + m * f.places();
    const float* row_gate = p.row_gate.data() + m * f.height();
    const float* column_gate = p.column_gate.data() + m * f.width();
    std::fill_n(columns, f.width(), 0.F);
    for (Index i = 0; i < f.height(); ++i) {
      float sum = 0;
      for (Index j = 0; j < f.width(); ++j) {
        const float product = dy[i * f.width() + j] * x[i * f.width() + j];
        sum += product * column_gate[j];
        columns[j] += product * row_gate[i];
      }
      rows[i] = sum * row_gate[i] * (1 - row_gate[i]);
    }
    for (Index j = 0; j < f.width(); ++j) columns[j] *= column_gate[j] * (1 - column_gate[j]);
  }

  /// dx of map m.
  static void spread(const CoordinateBackwardProblem& p, Index m, const float* rows, const float* columns, float*,
                     CoordinateBackwardOutput& out) {
    const CoordinateProblem& f = p.forward;
    const float* dy = p.output_gradient.data() + m * f.places();
    const float* row_gate = p.row_gate.data() + m * f.height();
    const float* column_gate = p.column_gate.data() + m * f.width();
    float* dx = out.input.data() + m * f.places();
    for (Index i = 0; i < f.height(); ++i)
      for (Index j = 0; j < f.width(); ++j)
        dx[i * f.width() + j] = dy[i * f.width() + j] * row_gate[i] * column_gate[j] + rows[i] + columns[j];
  }

  /// to[o][place] = bias_o + Σ_c weight_oc values[c][place]
  static void mix(const float* values, Index places, Index inputs, const float* weight, const float* bias,
                  Index outputs, float* to) {
    for (Index o = 0; o < outputs; ++o, to += places) {
      std::fill_n(to, places, bias[o]);
      for (Index c = 0; c < inputs; ++c)
        for (Index i = 0; i < places; ++i) to[i] += weight[o * inputs + c] * values[c * places + i];
    }
  }
  static float sum(const float* x, Index n) { return plain_sum(x, n); }
  static float dot(const float* a, const float* b, Index n) {
    float sum = 0;
    for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
};

/// The parts by vectors. With `past_caches` dx goes to memory directly.
template <bool past_caches>
struct CoordinateBackwardVector {
  static Index scratch(const CoordinateProblem& f) { return combine_lines_scratch(f.width()); }

  static void gather(const CoordinateBackwardProblem& p, Index m, float* rows, float* columns) {
    const CoordinateProblem& f = p.forward;
    const float* row_gate = p.row_gate.data() + m * f.height();
    const float* column_gate = p.column_gate.data() + m * f.width();
    weighted_line_sums(f.input.data() + m * f.places(), p.output_gradient.data() + m * f.places(), f.height(),
                       f.width(), row_gate, column_gate, rows, columns);
#pragma omp simd
    for (Index i = 0; i < f.height(); ++i) rows[i] *= row_gate[i] * (1 - row_gate[i]);
#pragma omp simd
    for (Index j = 0; j < f.width(); ++j) columns[j] *= column_gate[j] * (1 - column_gate[j]);
  }
  static void spread(const CoordinateBackwardProblem& p, Index m, const float* rows, const float* columns,
                     float* scratch, CoordinateBackwardOutput& out) {
    const CoordinateProblem& f = p.forward;
    combine_lines<past_caches>(p.output_gradient.data() + m * f.places(), f.height(), f.width(),
                               p.row_gate.data() + m * f.height(), p.column_gate.data() + m * f.width(), rows, columns,
                               scratch, out.input.data() + m * f.places());
  }
  static void mix(const float* values, Index places, Index inputs, const float* weight, const float* bias,
                  Index outputs, float* to) {
    mix_channels(values, places, places, inputs, weight, bias, outputs, to, places);
  }
  static float sum(const float* x, Index n) { return map_sum(x, n); }
  static float dot(const float* a, const float* b, Index n) { return convolutional::dot(a, b, n); }
};

}  // namespace attention::convolutional
