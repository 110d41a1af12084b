#pragma once

#include <algorithm>
#include <limits>

#include "tensor/tensor.hpp"

namespace attention::dot_product {

using tensor::Index;

/// Keys first … last − 1.
struct KeyRange {
  Index first = 0;
  Index last = 0;

  bool empty() const { return first >= last; }
};

/// Which keys a query sees: query i those from i + offset − left to i + offset + right. What is masked has no effect, whatever
/// it holds.
struct Mask {
  static constexpr Index everything = std::numeric_limits<Index>::max() / 4;
  Index left = everything;
  Index right = everything;
  Index offset = 0;  ///< keys that came before the first query, as a cache holds them

  static Mask full() { return {}; }
  /// No query sees a later key.
  static Mask causal(Index past_keys = 0) { return {everything, 0, past_keys}; }
  /// The query's own key and the `keys` − 1 before it.
  static Mask sliding_window(Index keys, Index past_keys = 0) { return {keys - 1, 0, past_keys}; }

  /// As a problem's sizes and settings say it: `causal`; and `window` (0: all) keys less far away than that. The last query stands
  /// beside the last key; where there are more queries than keys, the first beside the first.
  static Mask of(bool causal, Index window, Index queries, Index keys) {
    Mask mask;
    mask.offset = std::max<Index>(0, keys - queries);
    if (window > 0) mask.left = mask.right = window - 1;
    if (causal) mask.right = 0;
    return mask;
  }

  bool is_full() const { return left == everything && right == everything; }
  /// Both ends grow with the query.
  KeyRange keys_of(Index query, Index keys) const {
    const Index first = std::clamp<Index>(query + offset - left, 0, keys);
    return {first, std::clamp<Index>(query + offset + right + 1, first, keys)};
  }
};

/// The part of a range that lies among keys begin … begin + count, counted from begin.
inline KeyRange within(KeyRange range, Index begin, Index count) {
  return {std::clamp<Index>(range.first - begin, 0, count), std::clamp<Index>(range.last - begin, 0, count)};
}

/// Pairs of a query and a key that it sees, of one head of a problem that has queries() and keys_of(i).
template <class Problem>
double visible_pairs(const Problem& p) {
  Index pairs = 0;
  for (Index i = 0; i < p.queries(); ++i) pairs += p.keys_of(i).last - p.keys_of(i).first;
  return static_cast<double>(pairs);
}

}  // namespace attention::dot_product
