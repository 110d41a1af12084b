#pragma once

#include "efficient_channel_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all gradients.
void efficient_channel_backward_formula(const EfficientChannelBackwardProblem& problem,
                                        EfficientChannelBackwardOutput& out);
void efficient_channel_backward_loops(const EfficientChannelBackwardProblem& problem,
                                      EfficientChannelBackwardOutput& out);
void efficient_channel_backward_openmp(const EfficientChannelBackwardProblem& problem,
                                       EfficientChannelBackwardOutput& out);
void efficient_channel_backward_simd(const EfficientChannelBackwardProblem& problem,
                                     EfficientChannelBackwardOutput& out);
void efficient_channel_backward_tiled(const EfficientChannelBackwardProblem& problem,
                                      EfficientChannelBackwardOutput& out);
void efficient_channel_backward_streamed(const EfficientChannelBackwardProblem& problem,
                                         EfficientChannelBackwardOutput& out);

/// Memory that any of them takes beyond inputs and output, in bytes: the small gradients of all images.
std::size_t efficient_channel_backward_workspace(const EfficientChannelBackwardProblem& problem);

}  // namespace attention::convolutional
