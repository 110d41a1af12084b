#pragma once

#include "coordinate.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output and both gates.
void coordinate_formula(const CoordinateProblem& problem, CoordinateOutput& out);
void coordinate_loops(const CoordinateProblem& problem, CoordinateOutput& out);
void coordinate_openmp(const CoordinateProblem& problem, CoordinateOutput& out);
void coordinate_simd(const CoordinateProblem& problem, CoordinateOutput& out);
void coordinate_tiled(const CoordinateProblem& problem, CoordinateOutput& out);
void coordinate_streamed(const CoordinateProblem& problem, CoordinateOutput& out);
void coordinate_ahead(const CoordinateProblem& problem, CoordinateOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes: the means of all images, or of one a thread.
std::size_t coordinate_formula_workspace(const CoordinateProblem& problem);
std::size_t coordinate_passes_workspace(const CoordinateProblem& problem);
std::size_t coordinate_image_workspace(const CoordinateProblem& problem);

}  // namespace attention::convolutional
