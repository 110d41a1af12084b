#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backward.hpp"

namespace attention::dot_product {

namespace {

using Row = std::vector<double>;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Terms after which a sum is looked at.
constexpr Index look = 64;

/// Keeps the largest finite |x|.
void keep(double& largest, double x) {
  if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
}
void keep(double& largest, const Row& row) {
  for (const double x : row) keep(largest, x);
}

/// The order of a float64 sum does not show here: the compiler may use vectors.
double dot(const float* a, const float* b, Index n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index c = 0; c < n; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

/// to += a · x
void add(double a, const float* x, Index n, double* to) {
  for (Index c = 0; c < n; ++c) to[c] += a * static_cast<double>(x[c]);
}

/// Largest norm of the rows of a matrix, of those that are finite.
double largest_norm(const float* matrix, Index rows, Index columns) {
  double largest = 0;
  for (Index i = 0; i < rows; ++i)
    keep(largest, std::sqrt(dot(matrix + i * columns, matrix + i * columns, columns)));
  return largest;
}

/// One head: its gradients go into `out`, its largest sums into `sums`.
void head_reference(const BackwardProblem& p, Index head, BackwardReference& out, BackwardReference& sums) {
  const Index keys = p.keys();
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const auto scale = static_cast<double>(p.scale);
  const float* key = p.key_of(head);
  const float* value = p.value_of(head);
  Row key_gradient(at(keys * dim)), value_gradient(at(keys * value_dim));
  Row column_weights(at(keys)), column_gradients(at(keys));
  Row weights(at(keys)), weight_gradients(at(keys)), query_gradient(at(dim)), output(at(value_dim));

  for (Index i = 0; i < p.queries(); ++i) {
    const KeyRange seen = p.keys_of(i);
    const float* query = p.query_of(head) + i * dim;
    const float* gradient = p.output_gradient_of(head) + i * value_dim;
    std::ranges::fill(query_gradient, 0.0);
    std::ranges::fill(output, 0.0);

    // P = softmax(S), row by row
    double largest = -std::numeric_limits<double>::infinity();
    for (Index j = seen.first; j < seen.last; ++j) {
      weights[at(j)] = scale * dot(query, key + j * dim, dim);
      largest = std::max(largest, weights[at(j)]);
    }
    // Where every score is −inf there is no weight to give: 0/0, NaN, as in the formula.
    if (std::isinf(largest) && largest < 0) largest = 0;
    double total = 0;
    for (Index j = seen.first; j < seen.last; ++j)
      total += weights[at(j)] = std::exp(weights[at(j)] - largest);
    if (seen.first < seen.last) keep(sums.lse, largest + std::log(total));

    // O, dP and D_i = dO_i · O_i = Σ_j P_ij dP_ij
    double delta = 0;
    double row_weights = 0;
    for (Index j = seen.first; j < seen.last; ++j) {
      const double weight = weights[at(j)] /= total;
      weight_gradients[at(j)] = dot(gradient, value + j * value_dim, value_dim);
      delta += weight * weight_gradients[at(j)];
      row_weights += weight * weight;
      column_weights[at(j)] += weight * weight;
      add(weight, value + j * value_dim, value_dim, output.data());
      if (j % look == 0 || j + 1 == seen.last) keep(sums.output_sums, output);
    }
    double norm = 0;
    for (const double o : output) norm += o * o;
    keep(sums.delta_sums, std::sqrt(dot(gradient, gradient, value_dim) * norm));
    keep(sums.row_weights, std::sqrt(row_weights));

    // dS_ij = P_ij (dP_ij − D_i), and what it adds to the three gradients
    double row_gradients = 0;
    double absolute = 0;
    for (Index j = seen.first; j < seen.last; ++j) {
      const double score_gradient = weights[at(j)] * (weight_gradients[at(j)] - delta);
      row_gradients += score_gradient * score_gradient;
      column_gradients[at(j)] += score_gradient * score_gradient;
      absolute += std::abs(score_gradient);
      add(score_gradient, key + j * dim, dim, query_gradient.data());
      add(score_gradient, query, dim, key_gradient.data() + j * dim);
      add(weights[at(j)], gradient, value_dim, value_gradient.data() + j * value_dim);
      if (j % look == 0 || j + 1 == seen.last) keep(sums.query_sums, query_gradient);
    }
    keep(sums.row_gradients, std::sqrt(row_gradients));
    keep(sums.absolute_gradients, absolute);
    for (Index c = 0; c < dim; ++c) out.query_gradient_of(head)[i * dim + c] = scale * query_gradient[at(c)];
    if (i % look == 0 || i + 1 == p.queries()) {
      keep(sums.key_sums, key_gradient);
      keep(sums.value_sums, value_gradient);
    }
  }
  for (Index x = 0; x < keys * dim; ++x) out.key_gradient_of(head)[x] = scale * key_gradient[at(x)];
  std::ranges::copy(value_gradient, out.value_gradient_of(head));
  for (const double squares : column_weights) keep(sums.column_weights, std::sqrt(squares));
  for (const double squares : column_gradients) keep(sums.column_gradients, std::sqrt(squares));
  sums.gradient_norm = largest_norm(p.output_gradient_of(head), p.queries(), value_dim);
  sums.score_sums =
      std::abs(scale) * largest_norm(p.query_of(head), p.queries(), dim) * largest_norm(key, keys, dim);
  sums.weight_gradient_sums = sums.gradient_norm * largest_norm(value, keys, value_dim);
}

}  // namespace

BackwardReference backward_reference(const BackwardProblem& p) {
  BackwardReference out;
  out.query_gradient = TensorOf<double, 4>(p.query.shape());
  out.key_gradient = TensorOf<double, 4>(p.key.shape());
  out.value_gradient = TensorOf<double, 4>(p.value.shape());
  using R = BackwardReference;
#pragma omp parallel for schedule(dynamic)
  for (Index head = 0; head < p.all_heads(); ++head) {
    BackwardReference sums;
    head_reference(p, head, out, sums);
#pragma omp critical
    for (double R::*largest :
         {&R::score_sums, &R::weight_gradient_sums, &R::delta_sums, &R::gradient_norm, &R::lse,
          &R::row_weights, &R::column_weights, &R::row_gradients, &R::column_gradients,
          &R::absolute_gradients, &R::output_sums, &R::query_sums, &R::key_sums, &R::value_sums})
      out.*largest = std::max(out.*largest, sums.*largest);
  }
  return out;
}

}  // namespace attention::dot_product
