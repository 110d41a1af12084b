#pragma once

#include "rungs/linear_feature_map.hpp"

namespace attention::self_attention {

/// The recurrence of one key head, a token at a time (equations 10 to 12). `features` is scratch memory of 2 · dim floats.
inline void recur(const LinearPass& p, Index b, Index g, float* features) {
  float* state = p.state_of(b, g);
  float* z = p.normalizer_of(b, g);
  float* phi_k = features;
  float* phi_q = features + p.dim;
  for (Index i = 0; i < p.n; ++i) {
    key_features(p, p.key.row(b, g, i), phi_k);
    const float* v = p.value.row(b, g, i);
    for (Index c = 0; c < p.dim; ++c) {  // S ← S + φ(k) vᵀ, z ← z + φ(k)
      if (z) z[c] += phi_k[c];
      for (Index x = 0; x < p.value_dim; ++x) state[c * p.value_dim + x] += phi_k[c] * v[x];
    }
    for (Index h = g * p.group(); h < (g + 1) * p.group(); ++h) {
      query_features(p, p.query.row(b, h, i), phi_q);
      float* out = p.output.row(b, h, i);
      std::fill_n(out, p.value_dim, 0.F);
      float total = 0;
      for (Index c = 0; c < p.dim; ++c) {  // Sᵀ φ(q), z · φ(q)
        if (z) total += phi_q[c] * z[c];
        for (Index x = 0; x < p.value_dim; ++x) out[x] += phi_q[c] * state[c * p.value_dim + x];
      }
      if (!z) continue;
      const float inverse = inverse_of(total);
      for (Index x = 0; x < p.value_dim; ++x) out[x] *= inverse;
    }
  }
}

}  // namespace attention::self_attention
