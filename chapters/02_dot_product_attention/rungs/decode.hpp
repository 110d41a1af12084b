#pragma once

#include "fused_attention.hpp"

namespace attention::dot_product {

/// So few queries share a key head that reading K and V, not arithmetic, takes the time: they are decoded.
inline constexpr Index decoded_rows = 8;

/// From five queries of one head on, a query a lane is the faster way, if there are heads enough for many threads: it cuts
/// queries and heads into pieces, and not the keys. With fewer most lanes are empty: they are decoded, however many heads share a key
/// head. (The shape decides, not the number of threads: sums must not depend on it.)
inline constexpr Index lane_queries = 5;
inline constexpr Index many_heads = 8;

inline bool is_decoding(const FusedProblem& p) {
  if (p.queries < lane_queries) return true;
  return p.batch * p.heads < many_heads && p.heads / p.key_heads * p.queries <= decoded_rows;
}

/// fused_attention for few queries and many keys: K and V are read once, where they lie, for all queries that share them.
void decode_attention(const FusedProblem& problem);
std::size_t decode_workspace(const FusedProblem& problem);

}  // namespace attention::dot_product
