#pragma once

#include "self_attention.hpp"

namespace attention::self_attention {

// One technique a file, in the order in which they are climbed; the mask is part of the problem, so the three ladders share
// them. Each fills output and lse, and weights where it keeps them.
void formula(const Problem& problem, Output& out);
void loops(const Problem& problem, Output& out);
void openmp(const Problem& problem, Output& out);
void tiled(const Problem& problem, Output& out);
void simd(const Problem& problem, Output& out);
void fused(const Problem& problem, Output& out);
/// Beside the ladder: what one would otherwise call.
void openblas(const Problem& problem, Output& out);

// Sizes that the samples visit the edges of.
inline constexpr Index tiled_queries = 32;
inline constexpr Index tiled_keys = 128;
inline constexpr Index simd_queries = 96;
inline constexpr Index openblas_rows = 256;

/// Terms after which the sum of a score starts anew in the rung "simd".
inline constexpr Index score_block = 16;

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t formula_workspace(const Problem& problem);
std::size_t weights_workspace(const Problem& problem);  ///< loops, openmp, tiled
std::size_t simd_workspace(const Problem& problem);
std::size_t fused_workspace(const Problem& problem);
std::size_t openblas_workspace(const Problem& problem);

}  // namespace attention::self_attention
