#pragma once

#include <string>

#include "convolution.hpp"

namespace attention::convolutional {

// One technique a file, in the order in which they are climbed. Each fills output.
void convolution_formula(const ConvolutionProblem& problem, ConvolutionOutput& out);
void convolution_loops(const ConvolutionProblem& problem, ConvolutionOutput& out);
void convolution_openmp(const ConvolutionProblem& problem, ConvolutionOutput& out);
void convolution_im2col(const ConvolutionProblem& problem, ConvolutionOutput& out);
void convolution_tiled(const ConvolutionProblem& problem, ConvolutionOutput& out);
void convolution_channels_last(const ConvolutionProblem& problem, ConvolutionOutput& out);
/// Variants beside the ladder, whose sums are taken in another basis: tiles of 2 × 2 and of 4 × 4 outputs. Kernels of 3 × 3 only.
void convolution_winograd_2(const ConvolutionProblem& problem, ConvolutionOutput& out);
void convolution_winograd_4(const ConvolutionProblem& problem, ConvolutionOutput& out);
/// Why they do not compute `problem`; empty where they do.
std::string winograd_unable(const ConvolutionProblem& problem);
/// Beside the ladder: what one would otherwise call.
void convolution_openblas(const ConvolutionProblem& problem, ConvolutionOutput& out);

/// Terms at which the tiled rung aims before a sum starts anew; it takes whole input channels.
inline constexpr Index convolution_tiled_terms = 144;

/// Terms after which a sum of theirs starts anew.
inline constexpr Index winograd_terms = 256;

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t convolution_formula_workspace(const ConvolutionProblem& problem);
std::size_t convolution_padded_workspace(const ConvolutionProblem& problem);
std::size_t convolution_im2col_workspace(const ConvolutionProblem& problem);
std::size_t convolution_tiled_workspace(const ConvolutionProblem& problem);
std::size_t convolution_channels_last_workspace(const ConvolutionProblem& problem);
std::size_t convolution_winograd_2_workspace(const ConvolutionProblem& problem);
std::size_t convolution_winograd_4_workspace(const ConvolutionProblem& problem);
std::size_t convolution_openblas_workspace(const ConvolutionProblem& problem);

}  // namespace attention::convolutional
