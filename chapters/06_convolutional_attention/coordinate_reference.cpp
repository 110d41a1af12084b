#include <algorithm>
#include <cmath>
#include <vector>

#include "coordinate.hpp"

namespace attention::convolutional {

namespace {

using Numbers = std::vector<double>;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

double finite(double x) { return std::isfinite(x) ? x : 0; }

/// The images' figures are put together by this.
void take_larger(CoordinateReference& all, const CoordinateReference& one) {
  for (const auto figure : {&CoordinateReference::row_sums, &CoordinateReference::column_sums, &CoordinateReference::hidden_sums,
                            &CoordinateReference::gate_sums, &CoordinateReference::slope, &CoordinateReference::row_moves,
                            &CoordinateReference::column_moves})
    all.*figure = std::max(all.*figure, one.*figure);
}

/// A convolution of 1 × 1: weight · values + bias at the places first … last of `stride`. The largest sum goes to `sums`.
Numbers mixed(const Tensor<2>& weight, const Tensor<1>& bias, const Numbers& values, Index stride, Index first, Index last, double& sums) {
  Numbers out;
  for (Index o = 0; o < tensor::extent(weight, 0); ++o)
    for (Index place = first; place < last; ++place) {
      WatchedSum sum;
      for (Index c = 0; c < tensor::extent(weight, 1); ++c)
        sum.add(static_cast<double>(weight(at(o), at(c))) * values[at(c * stride + place)]);
      sum.add(static_cast<double>(bias(at(o))));
      out.push_back(sum.value);
      sums = std::max(sums, sum.extent());
    }
  return out;
}

/// One image into `out`; gives its figures.
CoordinateReference one_image(const CoordinateProblem& p, Index b, CoordinateReference& out) {
  CoordinateReference figures;
  const Index height = p.height();
  const Index width = p.width();
  Numbers pooled(at(p.channels() * p.lines()));
  for (Index c = 0; c < p.channels(); ++c) {
    const float* x = p.map_of(b, c);
    std::vector<WatchedSum> column(at(width));
    for (Index i = 0; i < height; ++i) {
      WatchedSum row;
      for (Index j = 0; j < width; ++j) {
        row.add(static_cast<double>(x[i * width + j]));
        column[at(j)].add(static_cast<double>(x[i * width + j]));
      }
      pooled[at(c * p.lines() + i)] = row.value / static_cast<double>(width);
      figures.row_sums = std::max(figures.row_sums, row.extent());
    }
    for (Index j = 0; j < width; ++j) {
      pooled[at(c * p.lines() + height + j)] = column[at(j)].value / static_cast<double>(height);
      figures.column_sums = std::max(figures.column_sums, column[at(j)].extent());
    }
  }
  Numbers hidden = mixed(p.reduce_weight, p.reduce_bias, pooled, p.lines(), 0, p.lines(), figures.hidden_sums);
  std::ranges::transform(hidden, hidden.begin(), hard_swish<double>);
  const Numbers of_rows = mixed(p.row_weight, p.row_bias, hidden, p.lines(), 0, height, figures.gate_sums);
  const Numbers of_columns = mixed(p.column_weight, p.column_bias, hidden, p.lines(), height, p.lines(), figures.gate_sums);
  double* rows = out.row_gate_of(b);
  double* columns = out.column_gate_of(b);
  std::ranges::transform(of_rows, rows, sigmoid<double>);
  std::ranges::transform(of_columns, columns, sigmoid<double>);

  for (Index c = 0; c < p.channels(); ++c)
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j) {
        const double g_row = rows[c * height + i];
        const double g_column = columns[c * width + j];
        const double y = g_row * g_column * static_cast<double>(p.map_of(b, c)[i * width + j]);
        out.map_of(b, c)[i * width + j] = y;
        figures.slope = std::max({figures.slope, finite(g_row * (1 - g_row)), finite(g_column * (1 - g_column))});
        figures.row_moves = std::max(figures.row_moves, finite((1 - g_row) * std::abs(y)));
        figures.column_moves = std::max(figures.column_moves, finite((1 - g_column) * std::abs(y)));
      }
  return figures;
}

}  // namespace

CoordinateReference reference(const CoordinateProblem& p) {
  const auto& shape = p.input.shape();
  CoordinateReference out;
  out.output = tensor::empty<4, double>({shape[0], shape[1], shape[2], shape[3]});
  out.row_gate = tensor::empty<3, double>({shape[0], shape[1], shape[2]});
  out.column_gate = tensor::empty<3, double>({shape[0], shape[1], shape[3]});
#pragma omp parallel for
  for (Index b = 0; b < p.batch(); ++b) {
    const CoordinateReference figures = one_image(p, b, out);
#pragma omp critical
    take_larger(out, figures);
  }
  return out;
}

}  // namespace attention::convolutional
