#pragma once

#include <algorithm>

#include "multi_head.hpp"

namespace attention::multi_head {

/// to = x · W for one row x of `depth` floats, W [depth × columns]: row after row of W, so that it is read in order.
inline void row_times_matrix(const float* x, const float* W, Index depth, Index columns, float* to) {
  std::fill(to, to + columns, 0.F);
  for (Index k = 0; k < depth; ++k)
    for (Index c = 0; c < columns; ++c) to[c] += x[k] * W[k * columns + c];
}

/// to += x · W.
inline void add_row_times_matrix(const float* x, const float* W, Index depth, Index columns, float* to) {
  for (Index k = 0; k < depth; ++k)
    for (Index c = 0; c < columns; ++c) to[c] += x[k] * W[k * columns + c];
}

}  // namespace attention::multi_head
