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

/// matrix · xᵀ for all rows of x: [rows × hidden].
Row project(const Tensor<2>& matrix, const Tensor<2>& x) {
  const Index hidden = tensor::extent(matrix, 0);
  const Index dim = tensor::extent(matrix, 1);
  const Index rows = tensor::extent(x, 0);
  Row to(at(rows * hidden));
  for (Index i = 0; i < rows; ++i)
    for (Index h = 0; h < hidden; ++h)
      for (Index c = 0; c < dim; ++c) to[at(i * hidden + h)] += wide(matrix.data()[h * dim + c]) * wide(x.data()[i * dim + c]);
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
  const Row a = project(p.W, p.query);
  const Row b = project(p.U, p.key);
  const Row gradient(problem.output_gradient.begin(), problem.output_gradient.end());
  const Row value(p.value.begin(), p.value.end());

  // P, dP, D and dS
  Row dS(at(queries * keys));
  Row columns(at(keys)), weight_columns(at(keys));
  out.value_gradient = TensorOf<double, 2>(p.value.shape(), 0.0);
  double longest_gradient = 0;
  double longest_value = 0;
  for (Index j = 0; j < keys; ++j) keep(longest_value, length(value.data() + j * value_dim, value_dim));
  for (Index i = 0; i < queries; ++i) {
    const double* weights = out.forward.weights.data() + i * keys;
    const double* dO = gradient.data() + i * value_dim;
    double* row = dS.data() + i * keys;
    double delta = 0;
    double row_sum = 0;
    for (Index j = 0; j < keys; ++j) {
      row[j] = 0;
      for (Index c = 0; c < value_dim; ++c) {
        row[j] += dO[c] * value[at(j * value_dim + c)];
        out.value_gradient.data()[j * value_dim + c] += weights[j] * dO[c];
      }
      delta += weights[j] * row[j];
    }
    for (Index j = 0; j < keys; ++j) {
      row[j] = weights[j] * (row[j] - delta);
      row_sum += std::abs(row[j]);
      columns[at(j)] += std::abs(row[j]);
      weight_columns[at(j)] += weights[j];
    }
    double gradient_sum = 0;
    for (Index c = 0; c < value_dim; ++c) gradient_sum += std::abs(dO[c]);
    keep(out.row_sum, row_sum);
    if (std::isfinite(row_sum)) out.all_sum += row_sum;
    keep(out.gradient_sum, gradient_sum);
    keep(longest_gradient, length(dO, value_dim));
    keep(out.output_sums, length(dO, value_dim) * length(out.forward.output.data() + i * value_dim, value_dim));
    keep(out.lse, out.forward.lse.data()[i]);
  }
  out.weight_gradients = longest_gradient * longest_value;
  for (Index j = 0; j < keys; ++j) {
    keep(out.column_sum, columns[at(j)]);
    keep(out.column_weights, weight_columns[at(j)]);
  }

  // da, db, dv: threads take hidden units, of which none needs another
  Row da(a.size()), db(b.size());
  out.v_gradient = TensorOf<double, 1>(p.v.shape(), 0.0);
#pragma omp parallel for schedule(static)
  for (Index h = 0; h < hidden; ++h) {
    const double v = wide(p.v.data()[h]);
    double sum = 0;
    for (Index i = 0; i < queries; ++i)
      for (Index j = 0; j < keys; ++j) {
        const double t = std::tanh(a[at(i * hidden + h)] + b[at(j * hidden + h)]);
        const double score_gradient = dS[at(i * keys + j)];
        const double g = v * score_gradient * (1 - t * t);
        da[at(i * hidden + h)] += g;
        db[at(j * hidden + h)] += g;
        sum += score_gradient * t;
      }
    out.v_gradient.data()[h] = sum;
  }
  for (const double x : da) keep(out.query_projection_gradient, x);
  for (const double x : db) keep(out.key_projection_gradient, x);
  project_back(da, p.W, p.query, out.query_gradient, out.W_gradient);
  project_back(db, p.U, p.key, out.key_gradient, out.U_gradient);
  return out;
}

}  // namespace attention::additive
