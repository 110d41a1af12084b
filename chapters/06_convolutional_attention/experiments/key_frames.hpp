#pragma once

#include <filesystem>

#include "experiments/networks.hpp"

namespace attention::convolutional {

/// Experiment: frames picked by temporal attention, over pixels and over a trained network's features. In made clips whose scenes are known: the share of
/// scenes that is shown, beside a uniform and a random pick. In Muybridge's cat, where it is there: which views, and where the gait changes. Writes
/// key_frames.json, cat_frames.json and the attention records cat, the picks, and cat_attention.
void key_frames(const ladder::ChapterRun& run, const datasets::FashionMnist& data, const std::filesystem::path& data_folder,
                std::span<const TrainedNetwork> networks);

}  // namespace attention::convolutional
