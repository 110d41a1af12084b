#pragma once

#include "backward.hpp"

namespace attention::additive {

// One technique a file, in the order in which they are climbed. Each fills all six gradients.
void backward_formula(const BackwardProblem& problem, BackwardOutput& out);
void backward_loops(const BackwardProblem& problem, BackwardOutput& out);
void backward_openmp(const BackwardProblem& problem, BackwardOutput& out);
void backward_simd(const BackwardProblem& problem, BackwardOutput& out);
void backward_factorised(const BackwardProblem& problem, BackwardOutput& out);

/// Memory that a rung takes beyond inputs and gradients, in bytes.
std::size_t backward_formula_workspace(const BackwardProblem& problem);
std::size_t backward_loops_workspace(const BackwardProblem& problem);
std::size_t backward_openmp_workspace(const BackwardProblem& problem);
std::size_t backward_tile_workspace(const BackwardProblem& problem);

}  // namespace attention::additive
