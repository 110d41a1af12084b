#pragma once

#include "multi_head.hpp"
#include "simd/matrix_product.hpp"

namespace attention::multi_head {

/// Q, K and V of all heads for the rows asked, row by row of X: [batch, queries, heads · dim + 2 · key_heads · dim], the heads of
/// Q first, then those of K, then those of V.
struct Projections {
  tensor::UnsetBuffer all;
  Index queries, dim;
  Index columns;     ///< of a row
  Index key_column;  ///< where K begins in a row
  Index value_column;

  Index row(Index b, Index i) const { return (b * queries + i) * columns; }
  const float* query(Index b, Index h, Index i) const { return all.data() + row(b, i) + h * dim; }
  const float* key(Index b, Index g, Index i) const { return all.data() + row(b, i) + key_column + g * dim; }
  const float* value(Index b, Index g, Index i) const { return all.data() + row(b, i) + value_column + g * dim; }
};

/// One product X · [W_Q | W_K | W_V] for all heads.
Projections project(const Problem& p);

/// output = heads · W_O, heads [batch · queries, heads · dim] side by side as the concatenation has them, rows `stride` apart.
void project_output(const Problem& p, const float* heads, Index stride, Output& out);

/// W_O, packed for the micro-kernel: the same for some rows at a time, by one thread.
class OutputProjection {
 public:
  explicit OutputProjection(const Problem& p);
  /// Output rows first … first + rows, counted through the batch, of the heads' outputs at `heads`, rows `stride` apart.
  void operator()(Index first, Index rows, const float* heads, Index stride, Output& out) const;

 private:
  Index depth_, width_;
  tensor::UnsetBuffer panels_;
};

/// What project and project_output take, in bytes.
std::size_t projections_workspace(const Problem& p);

}  // namespace attention::multi_head
