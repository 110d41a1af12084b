#pragma once

#include "multi_head.hpp"
#include "simd/matrix_product.hpp"

namespace attention::multi_head {

/// Q, K and V of all heads, row by row of X: [batch, n, heads · dim + 2 · key_heads · dim], the heads of Q first, then those
/// of K, then those of V. Where only some rows are asked for, Q has a matrix of its own.
struct Projections {
  tensor::Buffer all;      ///< [batch · n, columns]
  tensor::Buffer queries;  ///< [batch · queries, heads · dim], empty where `all` holds Q
  Index columns = 0;       ///< of `all`
  Index key_column = 0;    ///< where K begins in a row of `all`
  Index value_column = 0;

  const float* query() const { return queries.empty() ? all.data() : queries.data(); }
  Index query_stride(const Problem& p) const { return queries.empty() ? columns : p.heads() * p.dim(); }
};

/// One product X · [W_Q | W_K | W_V] for all heads.
Projections project(const Problem& p);

/// output = heads · W_O, heads [batch · queries, heads · dim] side by side as the concatenation has them.
void project_output(const Problem& p, const float* heads, Output& out);

/// What project and project_output take, in bytes.
std::size_t projections_workspace(const Problem& p);

}  // namespace attention::multi_head
