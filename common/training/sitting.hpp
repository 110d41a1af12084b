#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "training/trainer.hpp"

namespace attention::training {

/// What a training is asked for on the command line.
struct Sitting {
  std::filesystem::path data;       ///< the folder with all data sets
  std::filesystem::path folder;     ///< for checkpoint, weights and record: results/NN_name/training
  std::filesystem::path published;  ///< datasets/weights, where the course's own weights lie; empty: nothing is put there
  std::uint64_t seed = 1;
  bool again = false;  ///< from the first step, though a checkpoint is there
};

/// A training that a chapter offers.
struct Training {
  std::string name;   ///< of the model
  std::string about;  ///< in one line
  /// Gives false where it was stopped before its end.
  std::function<bool(const Sitting&)> run;
};

/// Trains, and at the end writes into the sitting's folder NAME-seedN.safetensors, the weights as float16, and NAME-seedN.json, the record:
/// recipe, curve, time, machine, and what `figures` finds with the final weights as they were written. Where the weights are published, those of seed 1 are
/// put there as NAME.safetensors, and the record under records/. Gives false where it was stopped.
bool sit(const Task& task, Recipe recipe, const Sitting& sitting, const std::function<Json()>& figures);

/// Where a chapter finds what was trained.
struct WeightFolders {
  std::filesystem::path trainings;  ///< results/NN_name/training, where the reader's own trainings are; empty: not looked at
  std::filesystem::path published;  ///< datasets/weights, the course's own; empty: not looked at

  /// The file with a model's weights of seed 1: the reader's own, if there is one, else the published one; empty where there is none.
  std::filesystem::path weights(const std::string& model) const;
};

}  // namespace attention::training
