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

  bool is_full() const { return left == everything && right == everything; }
  /// Both ends grow with the query.
  KeyRange keys_of(Index query, Index keys) const {
    const Index first = std::clamp<Index>(query + offset - left, 0, keys);
    return {first, std::clamp<Index>(query + offset + right + 1, first, keys)};
  }
};

}  // namespace attention::dot_product
