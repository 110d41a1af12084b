#include "recall_task.hpp"

#include <numeric>

#include "numerics/random.hpp"

namespace attention::self_attention {

RecallBatch part_of(const RecallBatch& batch, Index first, Index count) {
  const auto rows = [&](const std::vector<Index>& of, Index width) { return std::vector<Index>(of.begin() + first * width, of.begin() + (first + count) * width); };
  return {rows(batch.names, recall_pairs + 1), rows(batch.values, recall_pairs), rows(batch.answers, 1), rows(batch.distances, 1)};
}

RecallBatch make_recall(Index sequences, std::uint64_t seed) {
  numerics::Random random(seed);
  const auto below = [&](Index n) { return static_cast<Index>(random.bits() % static_cast<std::uint64_t>(n)); };
  RecallBatch batch;
  std::vector<Index> names(recall_names);
  std::iota(names.begin(), names.end(), Index{0});
  for (Index s = 0; s < sequences; ++s) {
    const std::size_t first = batch.values.size();
    for (Index i = 0; i < recall_pairs; ++i) {
      // The first names of a shuffle that is broken off: no name stands twice.
      std::swap(names[static_cast<std::size_t>(i)], names[static_cast<std::size_t>(i + below(recall_names - i))]);
      batch.names.push_back(names[static_cast<std::size_t>(i)]);
      batch.values.push_back(below(recall_values));
    }
    const Index distance = 1 + below(recall_pairs);
    const auto asked = static_cast<std::size_t>(recall_pairs - distance);
    batch.names.push_back(names[asked]);
    batch.answers.push_back(batch.values[first + asked]);
    batch.distances.push_back(distance);
  }
  return batch;
}

}  // namespace attention::self_attention
