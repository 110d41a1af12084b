#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "self_attention.hpp"

namespace attention::self_attention {

namespace {

using Row = std::vector<double>;

/// Takes `value` into `largest` unless it is NaN or infinite.
void keep_largest(double& largest, double value) {
  if (std::isfinite(value)) largest = std::max(largest, value);
}

/// One row of X, with what positions add to it.
Row token(const Problem& p, Index b, Index position) {
  Row x(size(p.width()), 0.0);
  position_encoding(p, position, x.data());
  for (Index k = 0; k < p.width(); ++k) x[size(k)] += static_cast<double>(p.input.data()[(b * p.n() + position) * p.width() + k]);
  return x;
}

/// to = x W, all heads; `sums` takes in the largest partial sum, and the root of the terms' squares.
void project_row(const Row& x, const Tensor<3>& weight, double* to, double& sums) {
  const std::size_t columns = weight.size() / x.size();
  Row largest(columns, 0.0);
  Row squares(columns, 0.0);
  std::fill(to, to + columns, 0.0);
  for (std::size_t k = 0; k < x.size(); ++k)
    for (std::size_t c = 0; c < columns; ++c) {
      const double term = x[k] * static_cast<double>(weight.data()[k * columns + c]);
      to[c] += term;
      largest[c] = std::max(largest[c], std::abs(to[c]));
      squares[c] += term * term;
    }
  for (std::size_t c = 0; c < columns; ++c) keep_largest(sums, std::max(largest[c], std::sqrt(squares[c])));
}

/// Turns every head of a row of Q or K.
void rotate_heads(const Problem& p, Index position, double* row) {
  Rotation<double> rotation(p.dim());
  rotation.set_position(p.first_position + position);
  for (Index h = 0; h < p.heads(); ++h) rotation.turn(row + h * p.dim());
}

double length(const double* vector, Index n) {
  double squares = 0;
  for (Index c = 0; c < n; ++c) squares += vector[c] * vector[c];
  return std::sqrt(squares);
}

}  // namespace

Reference reference(const Problem& p) {
  check_positions(p);
  const Index dim = p.dim();
  const Index heads = p.heads();
  const Index columns = heads * dim;
  Reference r;
  r.output = tensor::empty<4, double>({size(p.batch()), size(p.queries()), size(heads), size(dim)});
  r.lse = tensor::empty<3, double>({size(p.batch()), size(heads), size(p.queries())});
  r.weights = tensor::empty<4, double>({size(p.batch()), size(heads), size(p.queries()), size(p.span())});

  // K and V of every position, Q of those that are asked.
  Row key(size(p.batch() * p.n() * columns));
  Row value(key.size());
  Row query(size(p.batch() * p.queries() * columns));
  double query_sums = 0, key_sums = 0, value_sums = 0, query_length = 0, key_length = 0, largest_value = 0;
#pragma omp parallel for collapse(2) schedule(dynamic, 4) reduction(max : key_sums, value_sums, key_length, largest_value)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index j = 0; j < p.n(); ++j) {
      const Row x = token(p, b, j);
      double* k = key.data() + (b * p.n() + j) * columns;
      double* v = value.data() + (b * p.n() + j) * columns;
      project_row(x, p.key_weight, k, key_sums);
      project_row(x, p.value_weight, v, value_sums);
      if (p.positions == Positions::rotary) rotate_heads(p, j, k);
      for (Index h = 0; h < heads; ++h) keep_largest(key_length, length(k + h * dim, dim));
      for (Index c = 0; c < columns; ++c) keep_largest(largest_value, std::abs(v[c]));
    }
#pragma omp parallel for collapse(2) schedule(dynamic, 4) reduction(max : query_sums, query_length)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i) {
      double* q = query.data() + (b * p.queries() + i) * columns;
      project_row(token(p, b, p.position(i)), p.query_weight, q, query_sums);
      if (p.positions == Positions::rotary) rotate_heads(p, p.position(i), q);
      for (Index h = 0; h < heads; ++h) keep_largest(query_length, length(q + h * dim, dim));
    }

  const std::vector<float> slopes = linear_bias_slopes(heads);
  double score_sums = 0, output_sums = 0, concentration = 0, weighted_bias = 0;
#pragma omp parallel for collapse(3) schedule(dynamic, 4) reduction(max : score_sums, output_sums, concentration, weighted_bias)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < heads; ++h)
      for (Index i = 0; i < p.queries(); ++i) {
        const KeyRange seen = p.keys_of(i);
        const double slope = p.positions == Positions::linear_biases ? static_cast<double>(slopes[size(h)]) : 0;
        const auto bias = [&](Index j) { return -slope * static_cast<double>(std::abs(j - p.position(i))); };
        const double* q = query.data() + (b * p.queries() + i) * columns + h * dim;
        double* weights = r.weights_of(b, h, i) - seen.first;  // weights[j] belongs to key j
        double* output = r.output_of(b, h, i);
        std::fill_n(r.weights_of(b, h, i), p.span(), 0.0);
        std::fill_n(output, dim, 0.0);
        r.lse_of(b, h)[i] = -std::numeric_limits<double>::infinity();
        if (seen.first == seen.last) continue;

        // scores = q · k / sqrt(dim) + bias, of the visible keys alone
        double largest = -std::numeric_limits<double>::infinity();
        for (Index j = seen.first; j < seen.last; ++j) {
          const double* k = key.data() + (b * p.n() + j) * columns + h * dim;
          double score = 0;
          double largest_sum = 0;
          double squares = 0;
          for (Index c = 0; c < dim; ++c) {
            const double term = q[c] * k[c];
            score += term;
            largest_sum = std::max(largest_sum, std::abs(score));
            squares += term * term;
          }
          weights[j] = score * p.scale() + bias(j);
          largest = std::max(largest, weights[j]);
          keep_largest(score_sums, std::max(largest_sum, std::sqrt(squares)) * p.scale());
        }
        if (std::isinf(largest) && largest < 0) largest = 0;

        // weights = softmax(scores)
        double total = 0;
        for (Index j = seen.first; j < seen.last; ++j) total += (weights[j] = std::exp(weights[j] - largest));
        r.lse_of(b, h)[i] = largest + std::log(total);
        double squares = 0;
        double biased = 0;
        for (Index j = seen.first; j < seen.last; ++j) {
          weights[j] /= total;
          squares += weights[j] * weights[j];
          biased += weights[j] * std::abs(bias(j));
        }
        keep_largest(concentration, std::sqrt(squares));
        keep_largest(weighted_bias, biased);

        // output = weights · V
        for (Index j = seen.first; j < seen.last; ++j)
          for (Index c = 0; c < dim; ++c) {
            output[c] += weights[j] * value[size((b * p.n() + j) * columns + h * dim + c)];
            keep_largest(output_sums, std::abs(output[c]));
          }
      }
  r.query_sums = query_sums;
  r.key_sums = key_sums;
  r.value_sums = value_sums;
  r.query_length = query_length;
  r.key_length = key_length;
  r.largest_value = largest_value;
  r.score_sums = score_sums;
  r.output_sums = output_sums;
  r.concentration = concentration;
  r.weighted_bias = weighted_bias;
  return r;
}

}  // namespace attention::self_attention
