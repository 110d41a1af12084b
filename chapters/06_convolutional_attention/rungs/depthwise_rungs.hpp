#pragma once

#include "depthwise.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output.
void depthwise_formula(const DepthwiseProblem& problem, ConvolutionOutput& out);
void depthwise_loops(const DepthwiseProblem& problem, ConvolutionOutput& out);
void depthwise_openmp(const DepthwiseProblem& problem, ConvolutionOutput& out);
void depthwise_simd(const DepthwiseProblem& problem, ConvolutionOutput& out);
void depthwise_tiled(const DepthwiseProblem& problem, ConvolutionOutput& out);
void depthwise_streamed(const DepthwiseProblem& problem, ConvolutionOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t depthwise_formula_workspace(const DepthwiseProblem& problem);
std::size_t depthwise_loops_workspace(const DepthwiseProblem& problem);
std::size_t depthwise_openmp_workspace(const DepthwiseProblem& problem);
std::size_t depthwise_simd_workspace(const DepthwiseProblem& problem);
std::size_t depthwise_tiled_workspace(const DepthwiseProblem& problem);

}  // namespace attention::convolutional
