#pragma once

#include "ladder/chapter_program.hpp"
#include "picture_training.hpp"

namespace attention::convolutional {

/// A network of the chapter with the weights that were found.
struct TrainedNetwork {
  const NetworkPlan* plan;
  ResidualNetwork<float> network;
};

/// Those of network_plans() whose weights are there.
std::vector<TrainedNetwork> find_networks(const Pictures& pictures, const training::WeightFolders& folders);

/// Experiment: how well each network tells the test pictures apart, by its records over the seeds, and what it costs. Writes
/// fashion_accuracy.json and fashion_curves.json; figures fashion_accuracy_<module> and …_spread.
void network_accuracies(const ladder::ChapterRun& run, const Pictures& pictures, std::span<const TrainedNetwork> networks);

/// Experiment: where the trained networks look in three test pictures, Grad-CAM beside them; which channels open for which class; what one place
/// of a trained non-local block looks at. Writes the attention records looked_at_1 to looked_at_3, trained_channel_gates, trained_non_local.
void looked_at(const ladder::ChapterRun& run, const datasets::FashionMnist& data, std::span<const TrainedNetwork> networks);

}  // namespace attention::convolutional
