#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

namespace {

/// One hidden unit's projection, and how large its sum became on the way.
struct Projection {
  double value;
  double sums;  ///< largest |partial sum|, at least the root of its terms' squares
};

Projection project(const float* row, const float* x, Index dim) {
  double sum = 0;
  double largest = 0;
  double squares = 0;
  for (Index c = 0; c < dim; ++c) {
    const double term = static_cast<double>(row[c]) * static_cast<double>(x[c]);
    sum += term;
    largest = std::max(largest, std::abs(sum));
    squares += term * term;
  }
  return {sum, std::max(largest, std::sqrt(squares))};
}

/// tanh x = 1 − 2 / (1 + e^2x), to 2e-16 absolute, which is all that a sum of tanhs can use. (std::tanh keeps the last digits of
/// tiny x too and takes three times as long; a test holds the two against each other.)
double tanh(double x) { return 1 - 2 / (1 + std::exp(2 * x)); }

}  // namespace

Reference reference(const Problem& p) {
  const Index hidden = p.hidden();
  const Index keys = p.keys();
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  Reference out;
  out.output = tensor::empty<2, double>({size(p.queries()), size(p.value_dim())});
  out.weights = tensor::empty<2, double>({size(p.queries()), size(keys)});
  out.lse = tensor::empty<1, double>({size(p.queries())});

  double v_squares = 0;
  double v_partial = 0;
  double v_largest = 0;
  for (const float v : p.v) {
    if (!std::isfinite(v)) continue;  // every output is NaN then, and no bound matters
    v_squares += static_cast<double>(v) * static_cast<double>(v);
    out.v_sum += std::abs(static_cast<double>(v));
    v_partial += static_cast<double>(v);
    v_largest = std::max(v_largest, std::abs(v_partial));
  }
  out.v_length = std::sqrt(v_squares);

  std::vector<Projection> projected_key(size(keys * hidden));
#pragma omp parallel for
  for (Index j = 0; j < keys; ++j)
    for (Index h = 0; h < hidden; ++h)
      projected_key[size(j * hidden + h)] = project(p.U.data() + h * p.key_dim(), p.key.data() + j * p.key_dim(), p.key_dim());

  double score_sums = 0;
  double argument_sums = 0;
  double value_sums = 0;
  double concentration = 0;
#pragma omp parallel for reduction(max : score_sums, argument_sums, value_sums, concentration) schedule(dynamic, 4)
  for (Index i = 0; i < p.queries(); ++i) {
    std::vector<Projection> projected_query(size(hidden));
    for (Index h = 0; h < hidden; ++h)
      projected_query[size(h)] = project(p.W.data() + h * p.query_dim(), p.query.data() + i * p.query_dim(), p.query_dim());
    double* weights = out.weights.data() + i * keys;
    double* output = out.output.data() + i * p.value_dim();

    double largest = -std::numeric_limits<double>::infinity();
    for (Index j = 0; j < keys; ++j) {
      double score = 0;
      double largest_sum = 0;
      double squares = 0;
      double moved = 0;
      for (Index h = 0; h < hidden; ++h) {
        const Projection& a = projected_query[size(h)];
        const Projection& b = projected_key[size(j * hidden + h)];
        const double v = static_cast<double>(p.v.data()[h]);
        const double t = tanh(a.value + b.value);
        const double term = v * t;
        score += term;
        largest_sum = std::max(largest_sum, std::abs(score));
        squares += term * term;
        const double error = v * (1 - t * t) * (a.sums + b.sums);
        moved += error * error;
      }
      weights[j] = score;
      largest = std::max(largest, score);
      if (std::isfinite(squares)) score_sums = std::max({score_sums, largest_sum, std::sqrt(squares)});
      if (std::isfinite(moved)) argument_sums = std::max(argument_sums, std::sqrt(moved));
    }
    // Where every score is −inf there is no weight to give: 0/0, NaN, as in the formula.
    if (std::isinf(largest) && largest < 0) largest = 0;

    double total = 0;
    double squares = 0;
    for (Index j = 0; j < keys; ++j) {
      weights[j] = std::exp(weights[j] - largest);
      total += weights[j];
    }
    for (Index j = 0; j < keys; ++j) {
      weights[j] /= total;
      squares += weights[j] * weights[j];
    }
    if (std::isfinite(squares)) concentration = std::max(concentration, std::sqrt(squares));
    out.lse.data()[i] = largest + std::log(total);

    std::fill(output, output + p.value_dim(), 0.0);
    for (Index j = 0; j < keys; ++j)
      for (Index c = 0; c < p.value_dim(); ++c) {
        output[c] += weights[j] * static_cast<double>(p.value.data()[j * p.value_dim() + c]);
        if (std::isfinite(output[c])) value_sums = std::max(value_sums, std::abs(output[c]));
      }
  }
  out.score_sums = score_sums + v_largest;
  out.argument_sums = argument_sums;
  out.value_sums = value_sums;
  out.concentration = concentration;
  return out;
}

}  // namespace attention::additive
