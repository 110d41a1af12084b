#pragma once

#include <filesystem>

#include "training/trainer.hpp"

namespace attention::training {

/// All that a training needs to go on, beside the weights and the optimiser's means.
struct State {
  double loss_sum = 0;       ///< since the last point of the curve
  std::int64_t loss_count = 0;
  Trained trained;
  Gradients best;  ///< the weights of the best step
};

/// What decides the result of a training.
Json describe(const Recipe& recipe);
/// Curve, best figure and time, for records and for the checkpoint.
Json describe(const Trained& trained);

/// Notes the weights as the best so far, and brings the best ones back.
void keep_best(State& state, const ParameterList<float>& parameters);
void restore_best(const State& state, const ParameterList<float>& parameters);

/// Writes the state whole or not at all. Throws UserError where it cannot be written.
void save(const std::filesystem::path& file, const Recipe& recipe, const ParameterList<float>& parameters, Adam& adam, const State& state);
/// Reads it into model and optimiser. Throws UserError, naming the file, where it is damaged or was made by another recipe.
State resume(const std::filesystem::path& file, const Recipe& recipe, const ParameterList<float>& parameters, Adam& adam);

}  // namespace attention::training
