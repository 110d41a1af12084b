#pragma once

#include "cbam_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all gradients.
void cbam_backward_formula(const CbamBackwardProblem& problem, CbamBackwardOutput& out);
void cbam_backward_loops(const CbamBackwardProblem& problem, CbamBackwardOutput& out);
void cbam_backward_openmp(const CbamBackwardProblem& problem, CbamBackwardOutput& out);
void cbam_backward_fused(const CbamBackwardProblem& problem, CbamBackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t cbam_backward_formula_workspace(const CbamBackwardProblem& problem);
std::size_t cbam_backward_passes_workspace(const CbamBackwardProblem& problem);
std::size_t cbam_backward_fused_workspace(const CbamBackwardProblem& problem);

}  // namespace attention::convolutional
