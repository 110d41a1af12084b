#pragma once

#include "dot_product.hpp"
#include "fused_attention.hpp"
#include "rungs/block_arithmetic.hpp"

namespace attention::dot_product {

/// How the fused pass is cut into pieces of work; the fused rung cuts as is said here, the variants of a step otherwise.
struct Cut {
  bool blocked = true;   ///< blocks of keys and bands of queries whose scores stay in the cache; else all scores of a block of queries
  bool balanced = true;  ///< a thread that is done takes the next block of queries; else each has its share beforehand
};

/// fused_attention with this arithmetic, cut so.
void fused_pass(const FusedProblem& problem, const BlockArithmetic& arithmetic, const Cut& cut = {});
std::size_t fused_pass_workspace(const FusedProblem& problem, const BlockArithmetic& arithmetic, const Cut& cut = {});

/// The same for a rung: the problem as it lies in memory, [batch, heads, n, dim], and its output.
void fused_pass(const Problem& problem, Output& out, const BlockArithmetic& arithmetic, const Cut& cut = {});
std::size_t fused_pass_workspace(const Problem& problem, const BlockArithmetic& arithmetic, const Cut& cut = {});

/// The arithmetic of the rung fused_bf16.
const BlockArithmetic& bfloat16_arithmetic();

}  // namespace attention::dot_product
