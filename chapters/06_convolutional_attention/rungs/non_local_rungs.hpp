#pragma once

#include "non_local.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output, and weights where it keeps them.
void non_local_formula(const NonLocalProblem& problem, NonLocalOutput& out);
void non_local_loops(const NonLocalProblem& problem, NonLocalOutput& out);
void non_local_openmp(const NonLocalProblem& problem, NonLocalOutput& out);
void non_local_simd(const NonLocalProblem& problem, NonLocalOutput& out);
void non_local_fused(const NonLocalProblem& problem, NonLocalOutput& out);
/// Beside the ladder: what one would otherwise call.
void non_local_openblas(const NonLocalProblem& problem, NonLocalOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t non_local_formula_workspace(const NonLocalProblem& problem);
std::size_t non_local_stored_workspace(const NonLocalProblem& problem);
std::size_t non_local_simd_workspace(const NonLocalProblem& problem);
std::size_t non_local_fused_workspace(const NonLocalProblem& problem);
std::size_t non_local_openblas_workspace(const NonLocalProblem& problem);

}  // namespace attention::convolutional
