#pragma once

#include "convolution_backward.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills all three gradients.
void convolution_backward_formula(const ConvolutionBackwardProblem& problem, ConvolutionBackwardOutput& out);
void convolution_backward_loops(const ConvolutionBackwardProblem& problem, ConvolutionBackwardOutput& out);
void convolution_backward_openmp(const ConvolutionBackwardProblem& problem, ConvolutionBackwardOutput& out);
void convolution_backward_channels_last(const ConvolutionBackwardProblem& problem, ConvolutionBackwardOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t convolution_backward_formula_workspace(const ConvolutionBackwardProblem& problem);
std::size_t convolution_backward_padded_workspace(const ConvolutionBackwardProblem& problem);
std::size_t convolution_backward_channels_last_workspace(const ConvolutionBackwardProblem& problem);

}  // namespace attention::convolutional
