#pragma once

#include "recall_model.hpp"
#include "training/sitting.hpp"

namespace attention::self_attention {

/// recall_attention, recall_window, …
std::string recall_name(LookBack way);

/// The trainings for ./course train 04: the same steps on the same sequences for every way to look back.
std::vector<training::Training> recall_trainings();

/// The trained model, `file` as training::WeightFolders gives it. Throws UserError where it is damaged or of another recipe.
RecallModel<float> load_recall(LookBack way, const std::filesystem::path& file);

/// Sequences that no training has seen.
RecallBatch recall_test(Index sequences);

/// Right answers, and questions, of each distance from 1 to recall_pairs.
struct RecallScore {
  std::vector<Index> right, asked;  ///< [recall_pairs]

  /// Share of right answers over distances first … last.
  double share(Index first, Index last) const;
};
RecallScore score(const RecallModel<float>& model, const RecallBatch& batch);

}  // namespace attention::self_attention
