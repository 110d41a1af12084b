#pragma once

#include "multi_head_backward.hpp"

namespace attention::multi_head {

// The ladder of the backward pass, one technique a file, in the order in which they are climbed.
void backward_formula(const BackwardProblem& problem, BackwardOutput& out);
void backward_loops(const BackwardProblem& problem, BackwardOutput& out);
void backward_openmp(const BackwardProblem& problem, BackwardOutput& out);
void backward_packed(const BackwardProblem& problem, BackwardOutput& out);
void backward_fused(const BackwardProblem& problem, BackwardOutput& out);
/// Beside the ladder: what one would otherwise call.
void backward_openblas(const BackwardProblem& problem, BackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t backward_formula_workspace(const BackwardProblem& problem);
std::size_t backward_loops_workspace(const BackwardProblem& problem);
std::size_t backward_packed_workspace(const BackwardProblem& problem);
std::size_t backward_fused_workspace(const BackwardProblem& problem);
std::size_t backward_openblas_workspace(const BackwardProblem& problem);

}  // namespace attention::multi_head
