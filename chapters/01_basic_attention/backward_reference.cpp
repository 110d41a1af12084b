#include <algorithm>
#include <cmath>
#include <vector>

#include "backward.hpp"

namespace attention::additive {

namespace {

using Row = std::vector<double>;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Keeps the largest finite |x|.
void keep(double& largest, double x) {
  if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
}

double wide(float x) { return static_cast<double>(x); }

/// Terms after which a sum is looked at.
constexpr Index look = 64;

/// matrix · xᵀ for all rows of x: [rows × hidden]; the largest sum of |terms| is added to `sums`.
Row project(const Tensor<2>& matrix, const Tensor<2>& x, double& sums) {
  const Index hidden = tensor::extent(matrix, 0);
  const Index dim = tensor::extent(matrix, 1);
  const Index rows = tensor::extent(x, 0);
  Row to(at(rows * hidden));
  double largest = 0;
  for (Index i = 0; i < rows; ++i)
    for (Index h = 0; h < hidden; ++h) {
      double absolute = 0;
      for (Index c = 0; c < dim; ++c) {
        const double term = wide(matrix.data()[h * dim + c]) * wide(x.data()[i * dim + c]);
        to[at(i * hidden + h)] += term;
        absolute += std::abs(term);
      }
      keep(largest, absolute);
    }
  sums += largest;
  return to;
}

/// The way back through such a projection: of x and of the matrix.
void project_back(const Row& gradient, const Tensor<2>& matrix, const Tensor<2>& x, TensorOf<double, 2>& x_gradient,
                  TensorOf<double, 2>& matrix_gradient) {
  const Index hidden = tensor::extent(matrix, 0);
  const Index dim = tensor::extent(matrix, 1);
  x_gradient = TensorOf<double, 2>(x.shape(), 0.0);
  matrix_gradient = TensorOf<double, 2>(matrix.shape(), 0.0);
  for (Index i = 0; i < tensor::extent(x, 0); ++i)
    for (Index h = 0; h < hidden; ++h) {
      const double g = gradient[at(i * hidden + h)];
      for (Index c = 0; c < dim; ++c) {
        x_gradient.data()[i * dim + c] += g * wide(matrix.data()[h * dim + c]);
        matrix_gradient.data()[h * dim + c] += g * wide(x.data()[i * dim + c]);
      }
    }
}

/// tanh x and its derivative 1 − tanh² x, from one exponential. The first to 2e-16 absolute, which is all that a sum of them can use; the
/// second to some digits of its own, however small it is. (std::tanh takes three times as long.)
struct Tanh {
  double value;
  double slope;

  explicit Tanh(double x) {
    const double e = std::exp(-2 * std::abs(x));
    const double part = 1 / (1 + e);
    value = std::copysign((1 - e) * part, x);
    slope = 4 * e * part * part;
  }
};

double length(const double* x, Index n) {
  double sum = 0;
  for (Index c = 0; c < n; ++c) sum += x[c] * x[c];
  return std::sqrt(sum);
}

}  // namespace

BackwardReference backward_reference(const BackwardProblem& problem) {
  const Problem& p = problem.inputs;
  const Index queries = p.queries();
  const Index keys = p.keys();
  const Index hidden = p.hidden();
  const Index value_dim = p.value_dim();
  BackwardReference out;
  out.forward = reference(p);
  const Row a = project(p.W, p.query, out.projection_sums);
  const Row b = project(p.U, p.key, out.projection_sums);
  const Row gradient(problem.output_gradient.begin(), problem.output_gradient.end());
  const Row value(p.value.begin(), p.value.end());

  // P, dP, D and dS
  Row dS(at(queries * keys));
  Row column_sums(at(keys)), column_gradients(at(keys)), column_weights(at(keys));
  out.value_gradient = TensorOf<double, 2>(p.value.shape(), 0.0);
  double longest_value = 0;
  double all_gradients = 0;
  double all_weights = 0;
  double all_row_sums = 0;
  for (Index j = 0; j < keys; ++j) keep(longest_value, length(value.data() + j * value_dim, value_dim));
  for (Index i = 0; i < queries; ++i) {
    const double* weights = out.forward.weights.data() + i * keys;
    const double* dO = gradient.data() + i * value_dim;
    double* row = dS.data() + i * keys;
    double delta = 0;
    double weight_squares = 0;
    for (Index j = 0; j < keys; ++j) {
      row[j] = 0;
      for (Index c = 0; c < value_dim; ++c) {
        row[j] += dO[c] * value[at(j * value_dim + c)];
        double& sum = out.value_gradient.data()[j * value_dim + c];
        sum += weights[j] * dO[c];
        if (i % look == 0 || i + 1 == queries) keep(out.value_sums, sum);
      }
      delta += weights[j] * row[j];
      weight_squares += weights[j] * weights[j];
      column_weights[at(j)] += weights[j] * weights[j];
    }
    double row_sum = 0;
    double squares = 0;
    for (Index j = 0; j < keys; ++j) {
      row[j] = weights[j] * (row[j] - delta);
      row_sum += std::abs(row[j]);
      squares += row[j] * row[j];
      column_sums[at(j)] += std::abs(row[j]);
      column_gradients[at(j)] += row[j] * row[j];
    }
    keep(out.row_weights, std::sqrt(weight_squares));
    keep(out.row_gradients, std::sqrt(squares));
    keep(out.row_sum, row_sum);
    if (std::isfinite(row_sum)) {
      all_gradients += squares;
      all_weights += weight_squares;
      all_row_sums += row_sum * row_sum;
    }
    keep(out.gradient_length, length(dO, value_dim));
    keep(out.output_sums, length(dO, value_dim) * length(out.forward.output.data() + i * value_dim, value_dim));
    keep(out.lse, out.forward.lse.data()[i]);
  }
  double all_column_sums = 0;
  for (Index j = 0; j < keys; ++j) {
    keep(out.column_sum, column_sums[at(j)]);
    keep(out.column_gradients, std::sqrt(column_gradients[at(j)]));
    keep(out.column_weights, std::sqrt(column_weights[at(j)]));
    if (std::isfinite(column_sums[at(j)])) all_column_sums += column_sums[at(j)] * column_sums[at(j)];
  }
  out.weight_gradients = out.gradient_length * longest_value;
  out.all_gradients = std::sqrt(all_gradients);
  out.all_weights = std::sqrt(all_weights);
  out.all_row_sums = std::sqrt(all_row_sums);
  out.all_column_sums = std::sqrt(all_column_sums);

  // da, db, dv: threads take hidden units, of which none needs another
  Row da(a.size()), db(b.size());
  out.v_gradient = TensorOf<double, 1>(p.v.shape(), 0.0);
  double query_sums = 0;
  double key_sums = 0;
  double v_sums = 0;
#pragma omp parallel for schedule(static) reduction(max : query_sums, key_sums, v_sums)
  for (Index h = 0; h < hidden; ++h) {
    const double v = wide(p.v.data()[h]);
    double sum = 0;
    double plain = 0;
    for (Index i = 0; i < queries; ++i)
      for (Index j = 0; j < keys; ++j) {
        const Tanh t(a[at(i * hidden + h)] + b[at(j * hidden + h)]);
        const double score_gradient = dS[at(i * keys + j)];
        const double g = v * score_gradient * t.slope;
        da[at(i * hidden + h)] += g;
        db[at(j * hidden + h)] += g;
        sum += score_gradient * t.value;
        plain += score_gradient;
        if (j % look == 0 || j + 1 == keys) {
          keep(query_sums, da[at(i * hidden + h)]);
          keep(v_sums, std::abs(sum) + std::abs(plain));
        }
        if (i % look == 0 || i + 1 == queries) keep(key_sums, db[at(j * hidden + h)]);
      }
    out.v_gradient.data()[h] = sum;
  }
  out.query_sums = query_sums;
  out.key_sums = key_sums;
  out.v_sums = v_sums;
  project_back(da, p.W, p.query, out.query_gradient, out.W_gradient);
  project_back(db, p.U, p.key, out.key_gradient, out.U_gradient);
  return out;
}

}  // namespace attention::additive
