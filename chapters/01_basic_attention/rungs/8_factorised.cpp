// Rung 8, factorised: no exponential for a pair at all.
//
// What changed: e^2(a + b) = e^2a · e^2b. The exponentials are taken of the projections, one a row and hidden unit, and a pair
// costs one multiply-add for its denominator. Sixteen quotients are brought to one fraction, with numerators that are all 1: two
// instructions a unit, and one reciprocal for sixteen. 24 queries pass over a panel of keys, so that keys come from far
// away a quarter as often. What e^2a must not be asked for stands in rungs/factorised_scores.hpp.
#include "rungs/factorised_scores.hpp"
#include "rungs/stored.hpp"

namespace attention::additive {

void factorised(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index keys = p.keys();
  const Factors factors(p);
  const PaddedValues value(p);
#pragma omp parallel
  {
    FactorisedStrip strip(factors, std::min(factorised_queries, p.queries()));
    tensor::Buffer edge(static_cast<std::size_t>(factorised_queries * panel_keys));
#pragma omp for schedule(dynamic)
    for (Index first = 0; first < p.queries(); first += factorised_queries) {
      const Index rows = std::min(factorised_queries, p.queries() - first);
      float* weights = out.weights.data() + first * keys;
      strip.take(first, rows);
      for (Index j = 0; j < keys; j += panel_keys)
        if (j + panel_keys <= keys) {
          strip.panel_scores(j / panel_keys, weights + j, keys);
        } else {
          strip.panel_scores(j / panel_keys, edge.data(), panel_keys);
          for (Index i = 0; i < rows; ++i) std::copy_n(edge.data() + i * panel_keys, keys - j, weights + i * keys + j);
        }
      for (Index i = 0; i < rows; i += simd::tile_rows)
        finish_rows(p, first + i, std::min<Index>(simd::tile_rows, rows - i), value, factors.lse_shift(), out);
    }
  }
}

std::size_t factorised_workspace(const Problem& p) {
  return weights_workspace(p) + (Factors::floats(p) + PaddedValues::floats(p)) * sizeof(float);
}

}  // namespace attention::additive
