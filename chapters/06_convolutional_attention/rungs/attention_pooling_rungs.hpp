#pragma once

#include "attention_pooling.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output and weights.
void attention_pooling_formula(const AttentionPoolingProblem& problem, AttentionPoolingOutput& out);
void attention_pooling_loops(const AttentionPoolingProblem& problem, AttentionPoolingOutput& out);
void attention_pooling_openmp(const AttentionPoolingProblem& problem, AttentionPoolingOutput& out);
void attention_pooling_simd(const AttentionPoolingProblem& problem, AttentionPoolingOutput& out);
void attention_pooling_tiled(const AttentionPoolingProblem& problem, AttentionPoolingOutput& out);
void attention_pooling_online(const AttentionPoolingProblem& problem, AttentionPoolingOutput& out);

/// Places that the last rung takes in at a time: its sums start anew with each.
inline constexpr Index attention_pooling_block = 512;

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t attention_pooling_formula_workspace(const AttentionPoolingProblem& problem);
std::size_t attention_pooling_online_workspace(const AttentionPoolingProblem& problem);

}  // namespace attention::convolutional
