#pragma once

#include "backward.hpp"

namespace attention::dot_product {

// The ladder of the backward pass, one technique a file, in the order in which they are climbed. Each fills
// all three gradients.
void backward_formula(const BackwardProblem& problem, BackwardOutput& out);
void backward_loops(const BackwardProblem& problem, BackwardOutput& out);
void backward_openmp(const BackwardProblem& problem, BackwardOutput& out);
void backward_tiled(const BackwardProblem& problem, BackwardOutput& out);
void backward_fused(const BackwardProblem& problem, BackwardOutput& out);
void backward_parallel(const BackwardProblem& problem, BackwardOutput& out);
/// Beside the ladder: what one would otherwise call.
void backward_openblas(const BackwardProblem& problem, BackwardOutput& out);

/// Keys of a tile of backward_tiled.
inline constexpr Index backward_tiled_keys = 64;

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t backward_formula_workspace(const BackwardProblem& problem);
std::size_t backward_loops_workspace(const BackwardProblem& problem);
std::size_t backward_tiled_workspace(const BackwardProblem& problem);
std::size_t backward_fused_workspace(const BackwardProblem& problem);
std::size_t backward_parallel_workspace(const BackwardProblem& problem);
std::size_t backward_openblas_workspace(const BackwardProblem& problem);

}  // namespace attention::dot_product
