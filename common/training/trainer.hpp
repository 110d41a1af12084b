#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "autograd/layers.hpp"
#include "program/json.hpp"
#include "training/optimiser.hpp"

namespace attention::training {

using autograd::Variable;

/// How a model is trained. What is in `configuration` and here decides the result to the last bit, whatever the number of threads.
struct Recipe {
  std::string name;             ///< of the model: "g2p_bahdanau"
  Json configuration;           ///< sizes and all else that the model and its data were made with; a checkpoint of another one is refused
  std::uint64_t seed = 1;
  std::int64_t steps = 0;
  int parts = 8;                ///< each batch is split into so many, whose gradients are added in their order
  double peak_rate = 1e-3;      ///< cosine_rate
  std::int64_t warm_up = 100;
  double clip = 1;
  AdamSettings adam;
  std::int64_t evaluate_every = 500;
};

/// What is trained.
struct Task {
  ParameterList<float> parameters;
  /// Writes one part of the batch of a step on the tape and gives its share of the loss (the shares of all parts add up to the loss of
  /// the batch). Called by several threads at once, with a tape each.
  std::function<Variable<float>(Tape<float>& tape, std::int64_t step, int part)> loss;
  /// The figure on validation data by which the best weights are chosen: lower is better. Called between steps; may use all threads.
  std::function<double()> evaluate;
  std::string evaluated;  ///< what it is: "phoneme error rate"
};

/// One point of the learning curve.
struct CurvePoint {
  std::int64_t step;
  double loss;      ///< mean of the training loss since the last point
  double figure;    ///< what `evaluate` gave
  double seconds;   ///< of training until then, over all sittings
};

struct Trained {
  std::vector<CurvePoint> curve;
  double best = 0;            ///< the best figure …
  std::int64_t best_step = 0;  ///< … and where it was; of a finished training the parameters hold the weights of then
  std::int64_t steps = 0;      ///< taken; fewer than the recipe's where it was stopped
  double seconds = 0;
};

/// Trains. The state is written to `checkpoint` every `save_every` seconds, and where SIGINT or SIGTERM stops the training; where the file is
/// there, training goes on from it, with the same result to the last bit as if it had not been stopped. At the end the file stays: a
/// finished training is not run again.
/// Throws UserError where the checkpoint is damaged, belongs to another recipe, or cannot be written; CheckFailed where the loss is
/// not a number.
Trained train(const Task& task, const Recipe& recipe, const std::filesystem::path& checkpoint, double save_every = 30);

/// Writes weights alone, as float16, with the recipe and its record in the metadata; and reads them into a model.
/// The file's tensors must be the list's, by name and shape. Throws UserError.
void save_weights(const std::filesystem::path& file, const ParameterList<float>& parameters, const Recipe& recipe, const Trained& trained);
Json load_weights(const std::filesystem::path& file, const ParameterList<float>& parameters, const Json& configuration);

}  // namespace attention::training
