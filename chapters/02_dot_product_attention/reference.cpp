#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dot_product.hpp"

namespace attention::dot_product {

Reference reference(const Problem& p) {
  const auto sizes = [](Index a, Index b, Index c) {
    return std::array{static_cast<std::size_t>(a), static_cast<std::size_t>(b), static_cast<std::size_t>(c)};
  };
  const auto [batch, heads, queries] = sizes(p.batch(), p.heads(), p.queries());
  Reference out;
  out.output = tensor::empty<4, double>({batch, heads, queries, static_cast<std::size_t>(p.value_dim())});
  out.weights = tensor::empty<4, double>({batch, heads, queries, static_cast<std::size_t>(p.keys())});
  out.lse = tensor::empty<3, double>({batch, heads, queries});

  const auto scale = static_cast<double>(p.scale);
  const Index rows = p.batch() * p.heads() * p.queries();
  double score_sums = 0;
  double value_sums = 0;
  double concentration = 0;
#pragma omp parallel for reduction(max : score_sums, value_sums, concentration) schedule(dynamic, 4)
  for (Index row = 0; row < rows; ++row) {
    const Index head = row / p.queries();
    const float* query = p.query.data() + row * p.dim();
    const float* key = p.key_of(head / p.heads(), head % p.heads());
    const float* value = p.value_of(head / p.heads(), head % p.heads());
    const KeyRange seen = p.keys_of(row % p.queries());
    double* weights = out.weights.data() + row * p.keys();
    double* output = out.output.data() + row * p.value_dim();

    std::fill(weights, weights + p.keys(), 0.0);
    std::fill(output, output + p.value_dim(), 0.0);
    double largest = -std::numeric_limits<double>::infinity();
    if (seen.empty()) {
      out.lse.data()[row] = largest;
      continue;
    }
    for (Index j = seen.first; j < seen.last; ++j) {
      double score = 0;
      double largest_sum = 0;
      double squares = 0;
      for (Index i = 0; i < p.dim(); ++i) {
        const double term = static_cast<double>(query[i]) * static_cast<double>(key[j * p.dim() + i]);
        score += term;
        largest_sum = std::max(largest_sum, std::abs(score));
        squares += term * term;
      }
      weights[j] = score * scale;
      largest = std::max(largest, weights[j]);
      if (std::isfinite(squares)) score_sums = std::max(score_sums, std::max(largest_sum, std::sqrt(squares)) * std::abs(scale));
    }
    // Where every score is −inf there is no weight to give: 0/0, NaN, as in the formula.
    if (std::isinf(largest) && largest < 0) largest = 0;

    double total = 0;
    double squares = 0;
    for (Index j = seen.first; j < seen.last; ++j) {
      weights[j] = std::exp(weights[j] - largest);
      total += weights[j];
    }
    for (Index j = seen.first; j < seen.last; ++j) {
      weights[j] /= total;
      squares += weights[j] * weights[j];
    }
    if (std::isfinite(squares)) concentration = std::max(concentration, std::sqrt(squares));
    out.lse.data()[row] = largest + std::log(total);

    for (Index j = seen.first; j < seen.last; ++j)
      for (Index c = 0; c < p.value_dim(); ++c) {
        output[c] += weights[j] * static_cast<double>(value[j * p.value_dim() + c]);
        if (std::isfinite(output[c])) value_sums = std::max(value_sums, std::abs(output[c]));
      }
  }
  out.score_sums = score_sums;
  out.value_sums = value_sums;
  out.concentration = concentration;
  return out;
}

}  // namespace attention::dot_product
