#pragma once

#include <string_view>

#include "non_local_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all five gradients.
void non_local_backward_formula(const NonLocalBackwardProblem& problem, NonLocalBackwardOutput& out);
void non_local_backward_loops(const NonLocalBackwardProblem& problem, NonLocalBackwardOutput& out);
void non_local_backward_openmp(const NonLocalBackwardProblem& problem, NonLocalBackwardOutput& out);
void non_local_backward_fused(const NonLocalBackwardProblem& problem, NonLocalBackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t non_local_backward_formula_workspace(const NonLocalBackwardProblem& problem);
std::size_t non_local_backward_loops_workspace(const NonLocalBackwardProblem& problem);
std::size_t non_local_backward_openmp_workspace(const NonLocalBackwardProblem& problem);
std::size_t non_local_backward_fused_workspace(const NonLocalBackwardProblem& problem);

/// What the middle takes, with chapter 2's rung of that name: what forward kept, once more with dY in it, and dQ, dK
/// and dV.
std::size_t non_local_middle_workspace(std::string_view rung, const NonLocalBackwardProblem& problem);

}  // namespace attention::convolutional
