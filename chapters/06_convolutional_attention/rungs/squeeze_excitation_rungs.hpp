#pragma once

#include "squeeze_excitation.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output and gate.
void squeeze_excitation_formula(const SqueezeExcitationProblem& problem, GatedMaps& out);
void squeeze_excitation_loops(const SqueezeExcitationProblem& problem, GatedMaps& out);
void squeeze_excitation_openmp(const SqueezeExcitationProblem& problem, GatedMaps& out);
void squeeze_excitation_simd(const SqueezeExcitationProblem& problem, GatedMaps& out);
void squeeze_excitation_tiled(const SqueezeExcitationProblem& problem, GatedMaps& out);
void squeeze_excitation_streamed(const SqueezeExcitationProblem& problem, GatedMaps& out);
void squeeze_excitation_ahead(const SqueezeExcitationProblem& problem, GatedMaps& out);

/// Memory that a rung takes beyond inputs and output, in bytes: the means of all images, or of one a thread.
std::size_t squeeze_excitation_workspace(const SqueezeExcitationProblem& problem);
std::size_t squeeze_excitation_tiled_workspace(const SqueezeExcitationProblem& problem);

}  // namespace attention::convolutional
