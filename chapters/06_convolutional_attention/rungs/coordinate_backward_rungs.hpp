#pragma once

#include "coordinate_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all seven gradients.
void coordinate_backward_formula(const CoordinateBackwardProblem& problem, CoordinateBackwardOutput& out);
void coordinate_backward_loops(const CoordinateBackwardProblem& problem, CoordinateBackwardOutput& out);
void coordinate_backward_openmp(const CoordinateBackwardProblem& problem, CoordinateBackwardOutput& out);
void coordinate_backward_simd(const CoordinateBackwardProblem& problem, CoordinateBackwardOutput& out);
void coordinate_backward_streamed(const CoordinateBackwardProblem& problem, CoordinateBackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes: the lines' gradients of all images, or of one a thread.
std::size_t coordinate_backward_formula_workspace(const CoordinateBackwardProblem& problem);
std::size_t coordinate_backward_passes_workspace(const CoordinateBackwardProblem& problem);
std::size_t coordinate_backward_streamed_workspace(const CoordinateBackwardProblem& problem);

}  // namespace attention::convolutional
