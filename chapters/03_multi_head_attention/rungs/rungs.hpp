#pragma once

#include "multi_head.hpp"

namespace attention::multi_head {

// One technique a file, in the order in which they are climbed.
void formula(const Problem& problem, Output& out);
void loops(const Problem& problem, Output& out);
void openmp(const Problem& problem, Output& out);
void packed(const Problem& problem, Output& out);
void simd(const Problem& problem, Output& out);
void fused(const Problem& problem, Output& out);
/// Beside the ladder: the top rung with another order of its loops.
void projected(const Problem& problem, Output& out);
/// Beside the ladder: what one would otherwise call.
void openblas(const Problem& problem, Output& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t loops_workspace(const Problem& problem);
std::size_t packed_workspace(const Problem& problem);
std::size_t simd_workspace(const Problem& problem);
std::size_t fused_workspace(const Problem& problem);
std::size_t projected_workspace(const Problem& problem);
std::size_t openblas_workspace(const Problem& problem);

}  // namespace attention::multi_head
