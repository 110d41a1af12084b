#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

/// Associative recall: pairs of a name and a value pass by, then one of the names is asked for. (The question of S. Arora and others,
/// "Zoology: Measuring and Improving Recall in Efficient Language Models", 2023, with one question a sequence.)
namespace attention::self_attention {

using tensor::Index;

/// What is asked, the same for every model.
inline constexpr Index recall_pairs = 64;   ///< that pass by
inline constexpr Index recall_names = 256;  ///< to choose from; within a sequence each stands once
inline constexpr Index recall_values = 16;  ///< chance alone is right once in so many

/// Sequences side by side.
struct RecallBatch {
  std::vector<Index> names;    ///< [sequences, recall_pairs + 1]; the last is the one that is asked for
  std::vector<Index> values;   ///< [sequences, recall_pairs]
  std::vector<Index> answers;  ///< [sequences]
  std::vector<Index> distances;  ///< [sequences]: how many steps back the pair stands that was asked for, 1 … recall_pairs

  Index sequences() const { return static_cast<Index>(answers.size()); }
};

/// `count` of them from the first on.
RecallBatch part_of(const RecallBatch& batch, Index first, Index count);

/// Sequences that follow from the seed alone; every distance is as likely as any other.
RecallBatch make_recall(Index sequences, std::uint64_t seed);

}  // namespace attention::self_attention
