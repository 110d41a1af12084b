#pragma once

#include "attention_pooling_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills both gradients.
void attention_pooling_backward_formula(const AttentionPoolingBackwardProblem& problem,
                                        AttentionPoolingBackwardOutput& out);
void attention_pooling_backward_loops(const AttentionPoolingBackwardProblem& problem,
                                      AttentionPoolingBackwardOutput& out);
void attention_pooling_backward_openmp(const AttentionPoolingBackwardProblem& problem,
                                       AttentionPoolingBackwardOutput& out);
void attention_pooling_backward_simd(const AttentionPoolingBackwardProblem& problem,
                                     AttentionPoolingBackwardOutput& out);
void attention_pooling_backward_streamed(const AttentionPoolingBackwardProblem& problem,
                                         AttentionPoolingBackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t attention_pooling_backward_formula_workspace(const AttentionPoolingBackwardProblem& problem);
std::size_t attention_pooling_backward_passes_workspace(const AttentionPoolingBackwardProblem& problem);
std::size_t attention_pooling_backward_streamed_workspace(const AttentionPoolingBackwardProblem& problem);

}  // namespace attention::convolutional
