#pragma once

#include "linear_attention.hpp"
#include "linear_pass.hpp"

namespace attention::self_attention {

// One technique a file, in the order in which they are climbed. Each fills the output, and the state where it has one.
void linear_formula(const LinearProblem& problem, LinearOutput& out);
void linear_loops(const LinearProblem& problem, LinearOutput& out);
void linear_openmp(const LinearProblem& problem, LinearOutput& out);
void linear_chunked(const LinearProblem& problem, LinearOutput& out);
void linear_simd(const LinearProblem& problem, LinearOutput& out);

/// Memory that a rung takes beyond inputs and output, in bytes.
std::size_t linear_formula_workspace(const LinearProblem& problem);
std::size_t linear_loops_workspace(const LinearProblem& problem);
std::size_t linear_openmp_workspace(const LinearProblem& problem);
std::size_t linear_chunked_workspace(const LinearProblem& problem);
std::size_t linear_simd_workspace(const LinearProblem& problem);

/// The problem's sizes, as the kernels take them.
LinearPass sizes_of(const LinearProblem& problem);
/// The problem as the kernels take it; the state is set to zeros.
LinearPass pass_of(const LinearProblem& problem, LinearOutput& out);

}  // namespace attention::self_attention
