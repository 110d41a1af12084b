#pragma once

#include "bam.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output and both branches.
void bam_formula(const BamProblem& problem, BamOutput& out);
void bam_loops(const BamProblem& problem, BamOutput& out);
void bam_openmp(const BamProblem& problem, BamOutput& out);
void bam_simd(const BamProblem& problem, BamOutput& out);
void bam_tiled(const BamProblem& problem, BamOutput& out);
void bam_streamed(const BamProblem& problem, BamOutput& out);
void bam_factored(const BamProblem& problem, BamOutput& out);
void bam_ahead(const BamProblem& problem, BamOutput& out);

/// Additions that a place's entry goes through before the means' partial sums are added: see bam_chunk and map_sum.
inline constexpr Index bam_sum_block = 64;

/// Memory that a rung takes beyond inputs and output, in bytes: the inner maps of all images, or of one a thread.
std::size_t bam_formula_workspace(const BamProblem& problem);
std::size_t bam_passes_workspace(const BamProblem& problem);
std::size_t bam_image_workspace(const BamProblem& problem);

}  // namespace attention::convolutional
