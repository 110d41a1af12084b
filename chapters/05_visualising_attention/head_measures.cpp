#include "head_measures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "numerics/distribution.hpp"

namespace attention::visualising {

bool looks_at_itself(const record::AttentionRecord& record) {
  return record.queries.kind == record::Kind::tokens && record.keys.kind == record::Kind::tokens &&
         record.queries.labels == record.keys.labels;
}

std::vector<HeadMeasures> head_measures(const record::AttentionRecord& record) {
  const auto& shape = record.weights.shape();
  const std::size_t queries = shape[2], keys = shape[3];
  const bool itself = looks_at_itself(record);
  std::vector<HeadMeasures> all;
  std::vector<double> row(keys);
  for (std::size_t h = 0; h < shape[0] * shape[1]; ++h) {
    HeadMeasures m{.layer = h / shape[1] + 1, .head = h % shape[1] + 1};
    double distance = 0, rows = 0;
    for (std::size_t i = 0; i < queries; ++i) {
      const float* weights = record.weights.data() + (h * queries + i) * keys;
      const double sum = std::accumulate(weights, weights + keys, 0.0);
      if (!(sum > 0)) continue;
      std::transform(weights, weights + keys, row.begin(), [&](float w) { return static_cast<double>(w) / sum; });
      m.entropy += numerics::entropy_in_bits(std::span<const double>(row));
      m.largest += std::ranges::max(row);
      for (std::size_t j = 0; j < keys; ++j)
        distance += row[j] * std::abs(static_cast<double>(i) - static_cast<double>(j));
      ++rows;
    }
    if (rows > 0) m.entropy /= rows, m.largest /= rows, distance /= rows;
    if (keys > 1) m.entropy_share = m.entropy / std::log2(static_cast<double>(keys));
    if (itself) m.distance = distance;
    all.push_back(m);
  }
  return all;
}

}  // namespace attention::visualising
