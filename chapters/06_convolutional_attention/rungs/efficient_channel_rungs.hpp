#pragma once

#include "efficient_channel.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output and gate.
void efficient_channel_formula(const EfficientChannelProblem& problem, GatedMaps& out);
void efficient_channel_loops(const EfficientChannelProblem& problem, GatedMaps& out);
void efficient_channel_openmp(const EfficientChannelProblem& problem, GatedMaps& out);
void efficient_channel_simd(const EfficientChannelProblem& problem, GatedMaps& out);
void efficient_channel_tiled(const EfficientChannelProblem& problem, GatedMaps& out);
void efficient_channel_streamed(const EfficientChannelProblem& problem, GatedMaps& out);
void efficient_channel_ahead(const EfficientChannelProblem& problem, GatedMaps& out);

/// Memory that a rung takes beyond inputs and output, in bytes: the means of all images, or of one a thread.
std::size_t efficient_channel_workspace(const EfficientChannelProblem& problem);
std::size_t efficient_channel_tiled_workspace(const EfficientChannelProblem& problem);

}  // namespace attention::convolutional
