#pragma once

#include "rungs/projection.hpp"
#include "rungs/softmax.hpp"

namespace attention::self_attention {

/// Keys that any query of a block sees: both ends of what is seen grow with the query.
inline KeyRange keys_of_block(const Problem& p, Index first, Index count) {
  return {p.keys_of(first).first, p.keys_of(first + count - 1).last};
}

/// Row `query` of unscaled scores becomes weights: row[j] belongs to key `begin` + j, there are `count` of them. The bias is
/// added to what is seen, what is not seen becomes 0. Gives the row's log-sum-exp.
inline float masked_softmax(const Problem& p, float slope, Index query, float* row, Index begin, Index count) {
  const KeyRange seen = p.keys_of(query);
  const auto scale = static_cast<float>(p.scale());
  // softmax_row_simd multiplies by the scale, the bias too.
  if (slope != 0)
    for (Index j = seen.first; j < seen.last; ++j) row[j - begin] += distance_bias(slope / scale, j, p.position(query));
  return dot_product::masked_softmax_row(row, count, {seen.first - begin, seen.last - begin}, scale);
}

}  // namespace attention::self_attention
