#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "multi_head_backward.hpp"

namespace attention::multi_head {

namespace {

using Matrix = std::vector<double>;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

void keep(double& largest, double x) {
  if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
}

/// to [rows × columns] += a [rows × depth] · b [depth × columns]; keeps the largest size of an entry.
template <class A, class B>
void add_product(Index rows, Index depth, Index columns, A a, B b, double* to, double& size) {
  double largest = 0;
#pragma omp parallel for reduction(max : largest)
  for (Index i = 0; i < rows; ++i) {
    Matrix squares(at(columns));
    for (Index k = 0; k < depth; ++k) {
      const double x = a(i, k);
      for (Index c = 0; c < columns; ++c) {
        const double term = x * b(k, c);
        to[i * columns + c] += term;
        squares[at(c)] += term * term;
      }
    }
    for (Index c = 0; c < columns; ++c) {
      keep(largest, to[i * columns + c]);
      keep(largest, std::sqrt(squares[at(c)]));
    }
  }
  size = std::max(size, largest);
}

/// Keeps the largest size of sums whose terms' squares were added up beside them.
void keep_sizes(double& largest, const Matrix& sums, const Matrix& squares) {
  for (std::size_t x = 0; x < sums.size(); ++x) {
    keep(largest, sums[x]);
    keep(largest, std::sqrt(squares[x]));
  }
}

/// Largest |row| of a matrix whose rows are `columns` long, and largest |entry|.
void keep_rows(const Matrix& m, Index columns, double& norm, double& entry) {
  for (Index i = 0; i < static_cast<Index>(m.size()) / columns; ++i) {
    double squares = 0;
    for (Index c = 0; c < columns; ++c) {
      squares += m[at(i * columns + c)] * m[at(i * columns + c)];
      keep(entry, m[at(i * columns + c)]);
    }
    keep(norm, std::sqrt(squares));
  }
}

/// The matrices of one head of one sequence, [n × dim].
struct Head {
  Matrix query, key, value, output, gradient, query_gradient, key_gradient, value_gradient;
};

/// The output, and from dH the gradients of Q, K and V.
void attend(const BackwardProblem& p, Head& head, BackwardReference& r) {
  const Index n = p.n();
  const Index dim = p.dim();
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  for (Matrix* m : {&head.output, &head.query_gradient, &head.key_gradient, &head.value_gradient}) m->assign(at(n * dim), 0);
  Matrix column_gradients(at(n)), column_weights(at(n)), weights(at(n)), weight_gradients(at(n)),
      query_squares(at(n * dim)), key_squares(at(n * dim)), value_squares(at(n * dim)), output_squares(at(n * dim)), mean_key(at(dim));
  const auto dot = [dim](const Matrix& a, Index i, const Matrix& b, Index j) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index c = 0; c < dim; ++c) sum += a[at(i * dim + c)] * b[at(j * dim + c)];
    return sum;
  };
  for (Index i = 0; i < n; ++i) {
    const Index seen = p.heads.keys_of(i).last;
    double largest = -std::numeric_limits<double>::infinity();
    for (Index j = 0; j < seen; ++j) largest = std::max(largest, weights[at(j)] = scale * dot(head.query, i, head.key, j));
    double total = 0;
    for (Index j = 0; j < seen; ++j) total += weights[at(j)] = std::exp(weights[at(j)] - largest);
    double delta = 0;
    double concentration = 0;
    for (Index j = 0; j < seen; ++j) {
      weights[at(j)] /= total;
      concentration += weights[at(j)] * weights[at(j)];
      column_weights[at(j)] += weights[at(j)] * weights[at(j)];
      weight_gradients[at(j)] = dot(head.gradient, i, head.value, j);
      delta += weights[at(j)] * weight_gradients[at(j)];
      for (Index c = 0; c < dim; ++c) {
        const double term = weights[at(j)] * head.value[at(j * dim + c)];
        head.output[at(i * dim + c)] += term;
        output_squares[at(i * dim + c)] += term * term;
        mean_key[at(c)] += weights[at(j)] * head.key[at(j * dim + c)];
      }
    }
    for (double& x : mean_key) keep(r.mean_key, std::exchange(x, 0));
    keep(r.concentration, std::sqrt(concentration));
    double squares = 0;
    for (Index j = 0; j < seen; ++j) {
      const double score_gradient = weights[at(j)] * (weight_gradients[at(j)] - delta);
      squares += score_gradient * score_gradient;
      column_gradients[at(j)] += score_gradient * score_gradient;
      for (Index c = 0; c < dim; ++c) {
        const double q = scale * score_gradient * head.query[at(i * dim + c)];
        const double k = scale * score_gradient * head.key[at(j * dim + c)];
        const double v = weights[at(j)] * head.gradient[at(i * dim + c)];
        head.query_gradient[at(i * dim + c)] += k;
        head.key_gradient[at(j * dim + c)] += q;
        head.value_gradient[at(j * dim + c)] += v;
        query_squares[at(i * dim + c)] += k * k;
        key_squares[at(j * dim + c)] += q * q;
        value_squares[at(j * dim + c)] += v * v;
      }
    }
    keep(r.row_gradients, std::sqrt(squares));
  }
  for (Index j = 0; j < n; ++j) {
    keep(r.column_gradients, std::sqrt(column_gradients[at(j)]));
    keep(r.column_weights, std::sqrt(column_weights[at(j)]));
  }
  keep_sizes(r.output_sums, head.output, output_squares);
  keep_sizes(r.query_sums, head.query_gradient, query_squares);
  keep_sizes(r.key_sums, head.key_gradient, key_squares);
  keep_sizes(r.value_sums, head.value_gradient, value_squares);
  keep_rows(head.query, dim, r.query_norm, r.query);
  keep_rows(head.key, dim, r.key_norm, r.key);
  keep_rows(head.value, dim, r.value_norm, r.value);
  keep_rows(head.output, dim, r.head_norm, r.head);
  keep_rows(head.gradient, dim, r.gradient_norm, r.gradient);
}

/// Largest size of the sum of a column of [rows × columns].
double largest_column(const Tensor<3>& m, Index rows, Index columns) {
  Matrix sums(at(columns)), squares(at(columns));
  for (Index i = 0; i < rows; ++i)
    for (Index c = 0; c < columns; ++c) {
      const auto x = static_cast<double>(m.data()[i * columns + c]);
      sums[at(c)] += x;
      squares[at(c)] += x * x;
    }
  double largest = 0;
  keep_sizes(largest, sums, squares);
  return largest;
}

}  // namespace

BackwardReference backward_reference(const BackwardProblem& p) {
  const Index n = p.n();
  const Index dim = p.dim();
  const Index width = p.width();
  BackwardReference r;
  r.input = TensorOf<double, 3>(p.input.shape(), 0);
  for (auto [gradient, of] : {std::pair(&r.W_Q, &p.W_Q), {&r.W_K, &p.W_K}, {&r.W_V, &p.W_V}, {&r.W_O, &p.W_O}})
    *gradient = TensorOf<double, 3>(of->shape(), 0);
  r.input_columns = largest_column(p.input, p.rows(), width);
  r.output_columns = largest_column(p.output_gradient, p.rows(), width);
  Matrix row_sums(at(width)), row_squares(at(width));
  for (const Tensor<3>* W : {&p.W_Q, &p.W_K, &p.W_V})
    for (Index row = 0; row < p.head_count() * width; ++row)
      for (Index c = 0; c < dim; ++c) {
        const auto x = static_cast<double>(W->data()[row * dim + c]);
        row_sums[at(row % width)] += x;
        row_squares[at(row % width)] += x * x;
      }
  keep_sizes(r.weight_rows, row_sums, row_squares);
  for (Index b = 0; b < p.batch(); ++b) {
    const float* x = p.input.data() + b * n * width;
    const float* dy = p.output_gradient.data() + b * n * width;
    const auto X = [=](Index i, Index w) { return static_cast<double>(x[i * width + w]); };
    const auto dY = [=](Index i, Index w) { return static_cast<double>(dy[i * width + w]); };
    for (Index h = 0; h < p.head_count(); ++h) {
      const Index matrix = h * width * dim;
      Head head;
      for (auto [W, to] : {std::pair(&p.W_Q, &head.query), {&p.W_K, &head.key}, {&p.W_V, &head.value}}) {
        to->assign(at(n * dim), 0);
        const float* weights = W->data() + matrix;
        add_product(n, width, dim, X, [=](Index w, Index c) { return static_cast<double>(weights[w * dim + c]); }, to->data(), r.projection);
      }
      const float* weights = p.W_O.data() + matrix;
      head.gradient.assign(at(n * dim), 0);
      add_product(n, width, dim, dY, [=](Index w, Index c) { return static_cast<double>(weights[c * width + w]); }, head.gradient.data(),
                  r.incoming);
      attend(p, head, r);
      const auto transposed = [dim](const Matrix& m) { return [&m, dim](Index c, Index i) { return m[at(i * dim + c)]; }; };
      const auto plain = [dim](const Matrix& m) { return [&m, dim](Index i, Index c) { return m[at(i * dim + c)]; }; };
      add_product(dim, n, width, transposed(head.output), dY, r.W_O.data() + matrix, r.output_weight_sums);
      for (auto [gradient, W, to] : {std::tuple(&head.query_gradient, &p.W_Q, &r.W_Q), {&head.key_gradient, &p.W_K, &r.W_K}, {&head.value_gradient, &p.W_V, &r.W_V}}) {
        add_product(width, n, dim, [&](Index w, Index i) { return X(i, w); }, plain(*gradient), to->data() + matrix, r.weight_sums);
        const float* w_h = W->data() + matrix;
        add_product(n, dim, width, plain(*gradient), [=](Index c, Index w) { return static_cast<double>(w_h[w * dim + c]); },
                    r.input.data() + b * n * width, r.input_sums);
      }
    }
  }
  return r;
}

}  // namespace attention::multi_head
