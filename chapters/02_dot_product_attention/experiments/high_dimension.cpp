#include <fmt/format.h>

#include <cmath>
#include <iostream>

#include "dot_product.hpp"
#include "experiments/experiments.hpp"
#include "program/table.hpp"

namespace attention::dot_product {

namespace {

struct Statistics {
  double score_variance = 0;
  double entropy = 0;        ///< mean over the rows, nats; log(keys) where all keys share
  double gradient_norm = 0;  ///< mean Frobenius norm of the softmax's Jacobian, diag(w) − w wᵀ
  double largest_weight = 0; ///< mean over the rows
};

Statistics statistics(const Problem& p, const Reference& r) {
  const auto keys = static_cast<std::size_t>(p.keys());
  const auto rows = r.weights.size() / keys;
  Statistics s;
  double sum = 0;
  double squares = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const double* w = r.weights.data() + row * keys;
    double w2 = 0;
    double w3 = 0;
    double largest = 0;
    for (std::size_t j = 0; j < keys; ++j) {
      if (w[j] > 0) s.entropy -= w[j] * std::log(w[j]) / static_cast<double>(rows);
      w2 += w[j] * w[j];
      w3 += w[j] * w[j] * w[j];
      largest = std::max(largest, w[j]);
    }
    s.largest_weight += largest / static_cast<double>(rows);
    s.gradient_norm += std::sqrt(std::max(0.0, w2 - 2 * w3 + w2 * w2)) / static_cast<double>(rows);
    for (std::size_t j = 0; j < keys; ++j) {
      double score = 0;
      for (Index i = 0; i < p.dim(); ++i)
        score += static_cast<double>(p.query.data()[static_cast<Index>(row) * p.dim() + i]) *
                 static_cast<double>(p.key.data()[static_cast<Index>(j) * p.dim() + i]);
      score *= static_cast<double>(p.scale);
      sum += score;
      squares += score * score;
    }
  }
  const double n = static_cast<double>(rows * keys);
  s.score_variance = squares / n - (sum / n) * (sum / n);
  return s;
}

/// Share of the rows whose softmax in float32 is lost: a sum of exponentials that is infinite or NaN.
double broken_rows(const Problem& p, bool subtract_maximum) {
  Index broken = 0;
  for (Index i = 0; i < p.queries(); ++i) {
    std::vector<float> scores(static_cast<std::size_t>(p.keys()));
    for (Index j = 0; j < p.keys(); ++j) {
      float score = 0;
      for (Index c = 0; c < p.dim(); ++c) score += p.query.data()[i * p.dim() + c] * p.key.data()[j * p.dim() + c];
      scores[static_cast<std::size_t>(j)] = score * p.scale;
    }
    const float largest = subtract_maximum ? *std::ranges::max_element(scores) : 0;
    float total = 0;
    for (const float score : scores) total += std::exp(score - largest);
    // A sum that overflows makes every weight 0 or NaN: either way the row is lost.
    broken += !std::isfinite(total);
  }
  return static_cast<double>(broken) / static_cast<double>(p.queries());
}

struct DimensionPoint {
  Index dim = 0;
  bool scaled = false;
  Statistics found = {};
  double broken_without_max = 0;
  double broken_with_max = 0;
};

void measure(DimensionPoint& point, Index n) {
  const ladder::Shape shape = ladder::parse_shape(fmt::format("queries={},dim={},value_dim=1", n, point.dim), mechanism().keys);
  Problem p = make(shape, static_cast<std::uint64_t>(point.dim), ladder::Hardness::plain);
  if (!point.scaled) p.scale = 1;
  point.found = statistics(p, reference(p));
  point.broken_without_max = broken_rows(p, false);
  point.broken_with_max = broken_rows(p, true);
}

}  // namespace

void high_dimension(const Context& c) {
  const Index n = c.quick ? 64 : 256;
  program::Table table({{"dim"}, {"scale"}, {"variance of scores"}, {"entropy"}, {"largest weight"}, {"gradient norm"},
                        {"rows broken without max"}, {"with"}});
  Json rows = Json::array();
  std::vector<DimensionPoint> points;
  for (Index dim = 4; dim <= 4096; dim *= 2)
    for (const bool scaled : {false, true}) points.push_back({dim, scaled});
  // The last points are the longest: they start first.
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < points.size(); ++i) measure(points[points.size() - 1 - i], n);

  for (const DimensionPoint& point : points) {
    const Statistics& s = point.found;
    rows.push_back({{"dim", point.dim}, {"scaled", point.scaled}, {"score_variance", s.score_variance}, {"entropy", s.entropy},
                    {"uniform_entropy", std::log(static_cast<double>(n))}, {"largest_weight", s.largest_weight},
                    {"gradient_norm", s.gradient_norm}, {"broken_rows_without_max", point.broken_without_max},
                    {"broken_rows_with_max", point.broken_with_max}});
    table.add({fmt::format("{}", point.dim), point.scaled ? "1/√dim" : "1", fmt::format("{:.3g}", s.score_variance),
               fmt::format("{:.3f}", s.entropy), fmt::format("{:.3f}", s.largest_weight),
               fmt::format("{:.2e}", s.gradient_norm), fmt::format("{:.0f} %", 100 * point.broken_without_max),
               fmt::format("{:.0f} %", 100 * point.broken_with_max)});
  }
  std::cout << fmt::format("High dimension: {} random queries and keys with entries of variance 1\n{}\n", n, table.text());
  c.results.write("high_dimension", {{"queries", n}, {"keys", n}, {"rows", rows}});
}

}  // namespace attention::dot_product
