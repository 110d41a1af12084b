#pragma once

#include <algorithm>
#include <cmath>

#include "linear_pass.hpp"

namespace attention::self_attention {

/// φ(x) = elu(x) + 1. Written with exp and not with expm1: near 0 both are exact, far below 0 only this one is.
inline float elu_plus_one(float x) { return x > 0 ? x + 1 : std::exp(x); }

/// The features of a key.
inline void key_features(const LinearPass& p, const float* key, float* to) {
  if (p.map == FeatureMap::identity)
    std::copy_n(key, p.dim, to);
  else
    std::transform(key, key + p.dim, to, elu_plus_one);
}

/// The features of a query. Where the output is divided, a factor of the whole row cancels: if all entries are negative, the
/// largest becomes 1, so that the row cannot vanish.
inline void query_features(const LinearPass& p, const float* query, float* to) {
  if (p.map == FeatureMap::identity) {
    std::transform(query, query + p.dim, to, [&](float x) { return p.scale * x; });
    return;
  }
  const float largest = p.normalizer ? *std::max_element(query, query + p.dim) : 0;
  if (largest < 0)
    std::transform(query, query + p.dim, to, [largest](float x) { return std::exp(x - largest); });
  else
    std::transform(query, query + p.dim, to, elu_plus_one);
}

/// What a row is multiplied by at the end, from the sum of its weights: the sum's inverse, 0 where nothing was seen.
inline float inverse_of(float total) { return total == 0 ? 0 : 1 / total; }

}  // namespace attention::self_attention
