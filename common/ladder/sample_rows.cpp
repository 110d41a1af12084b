#include "ladder/sample_rows.hpp"

#include <numeric>
#include <set>

namespace attention::ladder {

std::vector<Index> sample_rows(Index rows, Index count, const std::vector<Index>& edges) {
  if (count >= rows) {
    std::vector<Index> all(static_cast<std::size_t>(rows));
    std::iota(all.begin(), all.end(), Index{0});
    return all;
  }
  std::set<Index> chosen{0, rows - 1};
  for (const Index tile : edges) {
    if (tile >= rows) continue;
    for (const Index edge : {tile, (rows - 1) / tile * tile}) chosen.insert({edge - 1, edge});
  }
  // Spread the rest: the middle of each of as many equal parts as rows are missing.
  const Index missing = count - static_cast<Index>(chosen.size());
  for (Index i = 0; i < missing; ++i) chosen.insert((2 * i + 1) * rows / (2 * missing));
  return {chosen.begin(), chosen.end()};
}

}  // namespace attention::ladder
