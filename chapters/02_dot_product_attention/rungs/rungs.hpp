#pragma once

#include "dot_product.hpp"

namespace attention::dot_product {

// One technique a file, in the order in which they are climbed. Each fills output and lse, and weights where it keeps them.
void formula(const Problem& problem, Output& out);
void loops(const Problem& problem, Output& out);
void openmp(const Problem& problem, Output& out);
void tiled(const Problem& problem, Output& out);
void simd(const Problem& problem, Output& out);
void fused(const Problem& problem, Output& out);
void fused_bf16(const Problem& problem, Output& out);
/// Beside the ladder: what one would otherwise call.
void openblas(const Problem& problem, Output& out);

// Tile sizes that callers need to know: the tests and the samples visit the rows at their edges.
inline constexpr Index tiled_queries = 32;
inline constexpr Index tiled_keys = 256;
inline constexpr Index fused_queries = 768;
/// What a call does once, for all rows (keys are packed, room is made for scores): among so many rows a thread it hardly shows.
inline constexpr Index shared_work_rows = 1024;

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t formula_workspace(const Problem& problem);
std::size_t weights_workspace(const Problem& problem);
std::size_t simd_workspace(const Problem& problem);
std::size_t fused_workspace(const Problem& problem);
std::size_t fused_bf16_workspace(const Problem& problem);
std::size_t openblas_workspace(const Problem& problem);

}  // namespace attention::dot_product
