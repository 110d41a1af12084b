#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "multi_head.hpp"

namespace attention::multi_head {

namespace {

using Matrix = std::vector<double>;

/// rows · W[h] for all heads: [rows × heads · dim]. `largest` takes the largest |sum| or root of the squared terms.
Matrix project(const std::vector<const float*>& rows, const Tensor<3>& W, double& largest) {
  const Index heads = tensor::extent(W, 0);
  const Index width = tensor::extent(W, 1);
  const Index dim = tensor::extent(W, 2);
  const auto count = static_cast<Index>(rows.size());
  Matrix to(static_cast<std::size_t>(count * heads * dim));
  double found = 0;
#pragma omp parallel for reduction(max : found)
  for (Index i = 0; i < count; ++i) {
    Matrix squares(static_cast<std::size_t>(dim));
    for (Index h = 0; h < heads; ++h) {
      double* out = to.data() + (i * heads + h) * dim;
      std::ranges::fill(squares, 0.0);
      for (Index w = 0; w < width; ++w) {
        const auto x = static_cast<double>(rows[static_cast<std::size_t>(i)][w]);
        const float* weights = W.data() + (h * width + w) * dim;
        for (Index c = 0; c < dim; ++c) {
          const double term = x * static_cast<double>(weights[c]);
          out[c] += term;
          squares[static_cast<std::size_t>(c)] += term * term;
        }
      }
      for (Index c = 0; c < dim; ++c)
        if (std::isfinite(out[c])) found = std::max({found, std::abs(out[c]), std::sqrt(squares[static_cast<std::size_t>(c)])});
    }
  }
  largest = std::max(largest, found);
  return to;
}

double largest_norm(const Matrix& m, Index dim) {
  double largest = 0;
  for (auto row = m.begin(); row != m.end(); row += dim) {
    double squares = 0;
    for (auto x = row; x != row + dim; ++x) squares += *x * *x;
    if (std::isfinite(squares)) largest = std::max(largest, std::sqrt(squares));
  }
  return largest;
}

}  // namespace

Reference reference(const Problem& p) {
  const Index heads = p.heads();
  const Index key_heads = p.key_heads();
  const Index dim = p.dim();
  const Index n = p.n();
  const Index width = p.width();
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  Reference r;
  r.output = tensor::empty<3, double>({static_cast<std::size_t>(p.batch()), static_cast<std::size_t>(p.queries()), static_cast<std::size_t>(width)});
  for (Index c = 0; c < width; ++c) {
    double squares = 0;
    for (Index i = 0; i < heads * dim; ++i) {
      const auto w = static_cast<double>(p.W_O.data()[i * width + c]);
      squares += w * w;
    }
    r.column_norm = std::max(r.column_norm, std::sqrt(squares));
  }

  for (Index b = 0; b < p.batch(); ++b) {
    std::vector<const float*> all, asked;
    for (Index i = 0; i < n; ++i) all.push_back(p.input_of(b) + i * width);
    for (Index i = 0; i < p.queries(); ++i) asked.push_back(all[static_cast<std::size_t>(p.row(i))]);
    const Matrix Q = project(asked, p.W_Q, r.projection);
    const Matrix K = project(all, p.W_K, r.projection);
    const Matrix V = project(all, p.W_V, r.projection);
    r.query_norm = std::max(r.query_norm, largest_norm(Q, dim) * scale);
    r.key_norm = std::max(r.key_norm, largest_norm(K, dim) * scale);
    for (const double v : V)
      if (std::isfinite(v)) r.value = std::max(r.value, std::abs(v));

    double score_size = 0, concentration = 0, head_size = 0, sum_size = 0;
#pragma omp parallel for reduction(max : score_size, concentration, head_size, sum_size)
    for (Index i = 0; i < p.queries(); ++i) {
      Matrix weights(static_cast<std::size_t>(n));
      Matrix concat(static_cast<std::size_t>(heads * dim));
      const Index seen = p.keys_of(i).last;
      for (Index h = 0; h < heads; ++h) {
        const Index g = h / (heads / key_heads);
        const double* q = Q.data() + (i * heads + h) * dim;
        double largest = -std::numeric_limits<double>::infinity();
        for (Index j = 0; j < seen; ++j) {
          const double* k = K.data() + (j * key_heads + g) * dim;
          double score = 0, squares = 0;
#pragma omp simd reduction(+ : score, squares)
          for (Index c = 0; c < dim; ++c) {
            score += q[c] * k[c];
            squares += q[c] * k[c] * q[c] * k[c];
          }
          weights[static_cast<std::size_t>(j)] = score * scale;
          largest = std::max(largest, score * scale);
          if (std::isfinite(squares)) score_size = std::max({score_size, std::abs(score) * scale, std::sqrt(squares) * scale});
        }
        double total = 0;
        for (Index j = 0; j < seen; ++j) total += weights[static_cast<std::size_t>(j)] = std::exp(weights[static_cast<std::size_t>(j)] - largest);
        double squares = 0;
        double* head = concat.data() + h * dim;
        for (Index j = 0; j < seen; ++j) {
          const double w = weights[static_cast<std::size_t>(j)] / total;
          squares += w * w;
          const double* v = V.data() + (j * key_heads + g) * dim;
          for (Index c = 0; c < dim; ++c) head[c] += w * v[c];
        }
        if (std::isfinite(squares)) concentration = std::max(concentration, std::sqrt(squares));
        for (Index c = 0; c < dim; ++c)
          if (std::isfinite(head[c])) head_size = std::max(head_size, std::abs(head[c]));
      }
      double* out = r.output.data() + (b * p.queries() + i) * width;
      Matrix squares(static_cast<std::size_t>(width));
      std::fill(out, out + width, 0.0);
      for (Index a = 0; a < heads * dim; ++a)
        for (Index c = 0; c < width; ++c) {
          const double term = concat[static_cast<std::size_t>(a)] * static_cast<double>(p.W_O.data()[a * width + c]);
          out[c] += term;
          squares[static_cast<std::size_t>(c)] += term * term;
        }
      for (Index c = 0; c < width; ++c)
        if (std::isfinite(out[c])) sum_size = std::max({sum_size, std::abs(out[c]), std::sqrt(squares[static_cast<std::size_t>(c)])});
    }
    r.score = std::max(r.score, score_size);
    r.concentration = std::max(r.concentration, concentration);
    r.head = std::max(r.head, head_size);
    r.sum = std::max(r.sum, sum_size);
  }
  return r;
}

}  // namespace attention::multi_head
