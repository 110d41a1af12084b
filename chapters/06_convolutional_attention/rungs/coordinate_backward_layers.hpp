#pragma once

#include <algorithm>

#include "coordinate_backward.hpp"
#include "rungs/gathered_parts.hpp"

/// The way back through the small layers of coordinate attention, for one image: from the gradients of the gates'
/// arguments to those of the means. `Parts` has the products in plain loops or by vectors.
namespace attention::convolutional {

/// What images add to the gradients of the weights, side by side, in the order of CoordinateBackwardOutput.
struct CoordinateSums {
  static Index floats(const CoordinateProblem& f) { return f.hidden() * (3 * f.channels() + 1) + 2 * f.channels(); }

  float *reduce_weight, *reduce_bias, *row_weight, *row_bias, *column_weight, *column_bias;
  CoordinateSums(const CoordinateProblem& f, float* at)
      : reduce_weight(at),
        reduce_bias(reduce_weight + f.hidden() * f.channels()),
        row_weight(reduce_bias + f.hidden()),
        row_bias(row_weight + f.channels() * f.hidden()),
        column_weight(row_bias + f.channels()),
        column_bias(column_weight + f.channels() * f.hidden()) {}
};

/// Partial sums [parts × floats] become the gradients.
inline void finish_sums(const CoordinateProblem& f, Index parts, tensor::Buffer& partial,
                        CoordinateBackwardOutput& out) {
  add_parts(partial.data(), parts, CoordinateSums::floats(f), partial.data());
  const float* from = partial.data();
  const auto take = [&from](auto& gradient) {
    std::copy_n(from, gradient.size(), gradient.data());
    from += gradient.size();
  };
  take(out.reduce_weight);
  take(out.reduce_bias);
  take(out.row_weight);
  take(out.row_bias);
  take(out.column_weight);
  take(out.column_bias);
}

/// The weights turned round, once for all images.
struct CoordinateTransposed {
  tensor::Buffer reduce, row, column;  ///< F₁ᵀ [channels × hidden], F_hᵀ and F_wᵀ [hidden × channels]
  tensor::Buffer zeros;                ///< biases that are none

  explicit CoordinateTransposed(const CoordinateProblem& f)
      : reduce(turned(f.reduce_weight)),
        row(turned(f.row_weight)),
        column(turned(f.column_weight)),
        zeros(static_cast<std::size_t>(std::max(f.channels(), f.hidden()))) {}
  static tensor::Buffer turned(const Tensor<2>& m) {
    const Index rows = tensor::extent(m, 0);
    const Index columns = tensor::extent(m, 1);
    tensor::Buffer to(m.size());
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) to[static_cast<std::size_t>(j * rows + i)] = m.data()[i * columns + j];
    return to;
  }
};

/// Floats of scratch memory of one image's way through the layers.
inline Index layers_scratch(const CoordinateProblem& f) { return 2 * f.hidden() * std::max(f.height(), f.width()); }

/// One side, the rows or the columns: `gradient` [channels × places] is da and becomes dz.
template <class Parts>
void side_backward(const CoordinateProblem& f, const float* mean, Index places, const float* transposed_weight,
                   const CoordinateTransposed& turned, float* scratch, float* weight_gradient, float* bias_gradient,
                   const CoordinateSums& sums, float* gradient) {
  const Index channels = f.channels();
  const Index hidden = f.hidden();
  float* unit = scratch;                             // u, then f
  float* unit_gradient = scratch + hidden * places;  // du
  Parts::mix(mean, places, channels, f.reduce_weight.data(), f.reduce_bias.data(), hidden, unit);
  Parts::mix(gradient, places, channels, transposed_weight, turned.zeros.data(), hidden, unit_gradient);
#pragma omp simd
  for (Index i = 0; i < hidden * places; ++i) {
    unit_gradient[i] *= hard_swish_slope(unit[i]);
    unit[i] = hard_swish(unit[i]);
  }
  for (Index c = 0; c < channels; ++c) {
    bias_gradient[c] += Parts::sum(gradient + c * places, places);
    for (Index k = 0; k < hidden; ++k)
      weight_gradient[c * hidden + k] += Parts::dot(gradient + c * places, unit + k * places, places);
  }
  for (Index k = 0; k < hidden; ++k) {
    sums.reduce_bias[k] += Parts::sum(unit_gradient + k * places, places);
    for (Index c = 0; c < channels; ++c)
      sums.reduce_weight[k * channels + c] += Parts::dot(unit_gradient + k * places, mean + c * places, places);
  }
  Parts::mix(unit_gradient, places, hidden, turned.reduce.data(), turned.zeros.data(), channels, gradient);
}

/// Image b: `rows` [channels × height] and `columns` [channels × width] are da and become dz/W and dz/H; what the image
/// adds to the weights' gradients goes into `partial`.
template <class Parts>
void layers_backward(const CoordinateBackwardProblem& p, Index b, const CoordinateTransposed& turned, float* scratch,
                     float* partial, float* rows, float* columns) {
  const CoordinateProblem& f = p.forward;
  const CoordinateSums sums(f, partial);
  const Index height = f.height();
  const Index width = f.width();
  const Index image = b * f.channels();
  side_backward<Parts>(f, p.row_mean.data() + image * height, height, turned.row.data(), turned, scratch,
                       sums.row_weight, sums.row_bias, sums, rows);
  side_backward<Parts>(f, p.column_mean.data() + image * width, width, turned.column.data(), turned, scratch,
                       sums.column_weight, sums.column_bias, sums, columns);
  for (Index i = 0; i < f.channels() * height; ++i) rows[i] /= static_cast<float>(width);
  for (Index j = 0; j < f.channels() * width; ++j) columns[j] /= static_cast<float>(height);
}

}  // namespace attention::convolutional
