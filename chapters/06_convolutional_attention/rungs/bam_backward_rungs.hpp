#pragma once

#include "bam_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all gradients.
void bam_backward_formula(const BamBackwardProblem& problem, BamBackwardOutput& out);
void bam_backward_loops(const BamBackwardProblem& problem, BamBackwardOutput& out);
void bam_backward_openmp(const BamBackwardProblem& problem, BamBackwardOutput& out);
void bam_backward_simd(const BamBackwardProblem& problem, BamBackwardOutput& out);
void bam_backward_streamed(const BamBackwardProblem& problem, BamBackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t bam_backward_formula_workspace(const BamBackwardProblem& problem);
std::size_t bam_backward_passes_workspace(const BamBackwardProblem& problem);
std::size_t bam_backward_simd_workspace(const BamBackwardProblem& problem);
std::size_t bam_backward_streamed_workspace(const BamBackwardProblem& problem);

}  // namespace attention::convolutional
