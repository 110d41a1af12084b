#pragma once

#include <filesystem>
#include <optional>

#include "spelling.hpp"
#include "training/sitting.hpp"
#include "translation.hpp"

/// The models that the chapter trains.
namespace attention::sequence_to_sequence {

/// How one of them is made. The numbers of symbols come from the data.
struct Plan {
  std::string name;
  std::string about;
  Sizes sizes;
  std::int64_t steps = 0;
  Index batch = 0;
  double rate = 0;
  std::int64_t evaluate_every = 0;
};

/// Letters to phonemes: g2p_additive, the large one, and a small one of each kind of attention, all alike but for that.
const std::vector<Plan>& spelling_plans();
/// Spanish to English, with additive attention and with none.
const std::vector<Plan>& translation_plans();
/// Of both. Throws std::out_of_range where there is none of that name.
const Plan& plan_of(const std::string& name);

/// Words of which a translation's vocabulary takes those that stand in training so often.
inline constexpr std::size_t least_count = 5;

struct Trained {
  EncoderDecoder<float> model;
  Json record;  ///< of its training: the curve, the time
};
/// The trained model; none where its weights are not there. Throws UserError where they are damaged or were made from other data.
std::optional<Trained> load_spelling(const Plan& plan, const datasets::Pronunciations& data, const training::WeightFolders& folders);
std::optional<Trained> load_translation(const Plan& plan, const Translation& translation, bool real, const training::WeightFolders& folders);

/// For ladder::ChapterProgram.
std::vector<training::Training> trainings();

}  // namespace attention::sequence_to_sequence
