#pragma once

#include <algorithm>
#include <vector>

#include "backward.hpp"
#include "rungs/projections.hpp"

namespace attention::additive {

/// The keys cut into parts, as many as the shape gives, whatever the number of threads. A part owns the gradients of its keys
/// and values; what it adds to those of the queries and of v goes into sums of its own, which are added in the order of the keys.
struct KeyParts {
  Index count;
  Index keys;  ///< of each part but the last: whole panels

  explicit KeyParts(const Problem& p) {
    const Index panels = round_up(p.keys(), panel_keys) / panel_keys;
    const Index each = (panels + most_parts - 1) / most_parts;
    keys = each * panel_keys;
    count = (panels + each - 1) / each;
  }

  static constexpr Index most_parts = 8;
};

/// Gradients of the projections, and of v, on their way: rows of `stride` floats.
struct ProjectionGradients {
  Index stride;
  Index parts;
  tensor::Buffer query;  ///< da, a matrix for each part: [parts][queries][stride]
  tensor::Buffer key;    ///< db: [keys][stride]
  tensor::Buffer v;      ///< [parts][stride]

  ProjectionGradients(const Problem& p, Index row, Index part_count)
      : stride(row),
        parts(part_count),
        query(static_cast<std::size_t>(parts * p.queries() * stride)),
        key(static_cast<std::size_t>(p.keys() * stride)),
        v(static_cast<std::size_t>(parts * stride)) {}

  static std::size_t floats(const Problem& p, Index stride, Index parts) {
    return static_cast<std::size_t>((parts * (p.queries() + 1) + p.keys()) * stride);
  }
};

/// x_gradient = g · matrix and matrix_gradient = gᵀ · x, g [rows × hidden] with rows `stride` floats apart. Threads share the rows
/// of both, each of which one of them sums from its first term to its last.
inline void project_back(const float* g, Index stride, const Tensor<2>& matrix, const Tensor<2>& x, Tensor<2>& x_gradient,
                         Tensor<2>& matrix_gradient) {
  const Index hidden = tensor::extent(matrix, 0);
  const Index dim = tensor::extent(matrix, 1);
  const Index rows = tensor::extent(x, 0);
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index i = 0; i < rows; ++i) {
      float* to = x_gradient.data() + i * dim;
      std::fill(to, to + dim, 0.F);
      for (Index h = 0; h < hidden; ++h)
#pragma omp simd
        for (Index c = 0; c < dim; ++c) to[c] += g[i * stride + h] * matrix.data()[h * dim + c];
    }
    constexpr Index together = 16;  // hidden units side by side in a row of g
#pragma omp for schedule(static)
    for (Index first = 0; first < hidden; first += together) {
      const Index last = std::min(first + together, hidden);
      float* to = matrix_gradient.data();
      std::fill(to + first * dim, to + last * dim, 0.F);
      for (Index i = 0; i < rows; ++i)
        for (Index h = first; h < last; ++h)
#pragma omp simd
          for (Index c = 0; c < dim; ++c) to[h * dim + c] += g[i * stride + h] * x.data()[i * dim + c];
    }
  }
}

/// The rest, once all parts are done: their sums, times factor_h = `with_v` v_h for da and db and `of_v` for dv, and the way back
/// through the projections.
inline void finish(const Problem& p, ProjectionGradients& g, float with_v, float of_v, BackwardOutput& out) {
  const Index hidden = p.hidden();
  const Index matrix = p.queries() * g.stride;
  const float* v = p.v.data();
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index i = 0; i < p.queries(); ++i) {
      float* row = g.query.data() + i * g.stride;
      for (Index part = 1; part < g.parts; ++part)
        for (Index h = 0; h < hidden; ++h) row[h] += row[part * matrix + h];
      for (Index h = 0; h < hidden; ++h) row[h] *= with_v * v[h];
    }
#pragma omp for schedule(static)
    for (Index j = 0; j < p.keys(); ++j)
      for (Index h = 0; h < hidden; ++h) g.key[static_cast<std::size_t>(j * g.stride + h)] *= with_v * v[h];
  }
  for (Index h = 0; h < hidden; ++h) {
    float sum = 0;
    for (Index part = 0; part < g.parts; ++part) sum += g.v[static_cast<std::size_t>(part * g.stride + h)];
    out.v_gradient.data()[h] = of_v * sum;
  }
  project_back(g.query.data(), g.stride, p.W, p.query, out.query_gradient, out.W_gradient);
  project_back(g.key.data(), g.stride, p.U, p.key, out.key_gradient, out.U_gradient);
}

}  // namespace attention::additive
