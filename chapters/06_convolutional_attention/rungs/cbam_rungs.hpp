#pragma once

#include "cbam.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output and both gates.
void cbam_formula(const CbamProblem& problem, CbamOutput& out);
void cbam_loops(const CbamProblem& problem, CbamOutput& out);
void cbam_openmp(const CbamProblem& problem, CbamOutput& out);
void cbam_simd(const CbamProblem& problem, CbamOutput& out);
void cbam_tiled(const CbamProblem& problem, CbamOutput& out);
void cbam_fused(const CbamProblem& problem, CbamOutput& out);
void cbam_ahead(const CbamProblem& problem, CbamOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes: the pools of all images, or of one a thread.
std::size_t cbam_formula_workspace(const CbamProblem& problem);
std::size_t cbam_passes_workspace(const CbamProblem& problem);
std::size_t cbam_tiled_workspace(const CbamProblem& problem);
std::size_t cbam_fused_workspace(const CbamProblem& problem);

/// Rows of a band: about a quarter of a second-level cache of 1 MB, of equal heights, each beginning on a cache line if it can.
Index cbam_band_rows(const CbamProblem& problem);

}  // namespace attention::convolutional
