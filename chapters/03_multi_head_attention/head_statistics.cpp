#include "head_statistics.hpp"

#include <cmath>
#include <span>
#include <stdexcept>

#include "numerics/distribution.hpp"

namespace attention::multi_head {

namespace {

void check_square(const tensor::Tensor<2>& map) {
  if (map.shape()[0] != map.shape()[1]) throw std::invalid_argument("the map of a head is square");
}

}  // namespace

void LookStatistics::add(const tensor::Tensor<2>& map, const std::vector<bool>& marked) {
  check_square(map);
  const std::size_t n = map.shape()[0];
  if (marked.size() != n) throw std::invalid_argument("a flag for each key");
  for (std::size_t i = 0; i < n; ++i) {
    const float* row = map.data() + i * n;
    for (std::size_t j = 0; j < n; ++j) {
      const auto weight = static_cast<double>(row[j]);
      sum_.distance += weight * std::abs(static_cast<double>(i) - static_cast<double>(j));
      if (marked[j]) sum_.marked += weight;
    }
    sum_.entropy += numerics::entropy_in_bits(std::span(row, n));
    sum_.self += static_cast<double>(row[i]);
    sum_.first += static_cast<double>(row[0]);
    sum_.last += static_cast<double>(row[n - 1]);
    if (i > 0) sum_.previous += static_cast<double>(row[i - 1]);
    if (i + 1 < n) sum_.next += static_cast<double>(row[i + 1]);
  }
  queries_ += static_cast<double>(n);
  with_neighbour_ += n == 0 ? 0 : static_cast<double>(n - 1);
}

Look LookStatistics::mean() const {
  const auto over = [](double sum, double count) { return count > 0 ? sum / count : 0; };
  return {over(sum_.distance, queries_),    over(sum_.entropy, queries_),
          over(sum_.self, queries_),        over(sum_.previous, with_neighbour_),
          over(sum_.next, with_neighbour_), over(sum_.first, queries_),
          over(sum_.last, queries_),        over(sum_.marked, queries_)};
}

double divergence(const tensor::Tensor<2>& a, const tensor::Tensor<2>& b) {
  check_square(a);
  if (a.shape() != b.shape()) throw std::invalid_argument("two maps of one sequence have the same size");
  // Divergence is a sum over places, so that of all rows together is the sum of theirs.
  return numerics::jensen_shannon_in_bits(std::span(a.data(), a.size()), std::span(b.data(), b.size()));
}

Index order_changes(const std::vector<double>& before, const std::vector<double>& after) {
  if (before.size() != after.size()) throw std::invalid_argument("two lists of the same places");
  Index changes = 0;
  for (std::size_t a = 0; a < before.size(); ++a)
    for (std::size_t b = a + 1; b < before.size(); ++b)
      if ((before[a] < before[b] && after[a] > after[b]) || (before[a] > before[b] && after[a] < after[b]))
        ++changes;
  return changes;
}

}  // namespace attention::multi_head
