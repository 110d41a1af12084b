#pragma once

#include <filesystem>
#include <vector>

#include "training/sitting.hpp"
#include "training_task.hpp"

namespace attention::recurrent_attention {

/// A classifier with its weights, and what they were trained with.
struct TrainedClassifier {
  TextClassifier<float> model;
  std::filesystem::path file;
};

/// Those of the three whose weights are found, in the order of all_poolings. None where the corpus is not real: weights belong to the
/// words that they were trained with. Throws UserError where a file is damaged or of another recipe.
std::vector<TrainedClassifier> find_classifiers(const Corpus& corpus, const training::WeightFolders& folders);

/// The line for those that are missing.
inline constexpr const char* how_to_train = "./course train 07 makes the weights that are missing";

/// The three trainings, for the program's command line. A figure of each record is test_accuracy.
std::vector<training::Training> trainings();

/// Glosses and given vectors from the folder with all data sets, or their stand-ins.
Corpus load_corpus(const std::filesystem::path& data);

}  // namespace attention::recurrent_attention
