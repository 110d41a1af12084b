#pragma once

#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all gradients.
void squeeze_excitation_backward_formula(const SqueezeExcitationBackwardProblem& problem,
                                         SqueezeExcitationBackwardOutput& out);
void squeeze_excitation_backward_loops(const SqueezeExcitationBackwardProblem& problem,
                                       SqueezeExcitationBackwardOutput& out);
void squeeze_excitation_backward_openmp(const SqueezeExcitationBackwardProblem& problem,
                                        SqueezeExcitationBackwardOutput& out);
void squeeze_excitation_backward_simd(const SqueezeExcitationBackwardProblem& problem,
                                      SqueezeExcitationBackwardOutput& out);
void squeeze_excitation_backward_tiled(const SqueezeExcitationBackwardProblem& problem,
                                       SqueezeExcitationBackwardOutput& out);
void squeeze_excitation_backward_streamed(const SqueezeExcitationBackwardProblem& problem,
                                          SqueezeExcitationBackwardOutput& out);

/// Memory that any of them takes beyond inputs and output, in bytes: the small gradients of all images.
std::size_t squeeze_excitation_backward_workspace(const SqueezeExcitationBackwardProblem& problem);

}  // namespace attention::convolutional
