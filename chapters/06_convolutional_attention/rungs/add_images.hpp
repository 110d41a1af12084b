#pragma once

#include "tensor/tensor.hpp"

/// Gradients of weights that all images share: a thread owns rows of them and adds the images in their order, so the
/// sums do not depend on the number of threads.
namespace attention::convolutional {

using tensor::Index;

/// to += factor · row
inline void add_row(float factor, const float* row, Index n, float* to) {
#pragma omp simd
  for (Index i = 0; i < n; ++i) to[i] += factor * row[i];
}

/// to[r][c] += Σ_b rows[b][r] · columns[b][c], the rows r shared among the threads of the parallel region that calls
/// it.
inline void add_images(Index batch, const float* rows, Index row_count, const float* columns, Index column_count,
                       float* to) {
#pragma omp for schedule(static)
  for (Index r = 0; r < row_count; ++r)
    for (Index b = 0; b < batch; ++b)
      add_row(rows[b * row_count + r], columns + b * column_count, column_count, to + r * column_count);
}

/// Wᵀ x for W [rows × columns]: a sum of its rows.
inline void times_transposed(const float* w, const float* x, Index rows, Index columns, float* to) {
  for (Index c = 0; c < columns; ++c) to[c] = 0;
  for (Index r = 0; r < rows; ++r) add_row(x[r], w + r * columns, columns, to);
}

}  // namespace attention::convolutional
