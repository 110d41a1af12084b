#pragma once

#include "additive.hpp"

namespace attention::additive {

// One technique a file, in the order in which they are climbed. Each fills output and lse, and weights where it keeps them.
void formula(const Problem& problem, Output& out);
void loops(const Problem& problem, Output& out);
void hoisted(const Problem& problem, Output& out);
void openmp(const Problem& problem, Output& out);
void tiled(const Problem& problem, Output& out);
void simd(const Problem& problem, Output& out);
void shared(const Problem& problem, Output& out);
void factorised(const Problem& problem, Output& out);
void fused(const Problem& problem, Output& out);

// Tile sizes that callers need to know: the tests and the samples visit the rows at their edges.
inline constexpr Index tiled_queries = 32;
inline constexpr Index tiled_keys = 64;
inline constexpr Index factorised_queries = 24;
inline constexpr Index fused_keys = 512;

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t weights_workspace(const Problem& problem);
std::size_t hoisted_workspace(const Problem& problem);
std::size_t simd_workspace(const Problem& problem);
std::size_t factorised_workspace(const Problem& problem);
std::size_t fused_workspace(const Problem& problem);

}  // namespace attention::additive
