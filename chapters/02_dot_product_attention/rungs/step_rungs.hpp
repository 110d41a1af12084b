#pragma once

#include "dot_product.hpp"

namespace attention::dot_product {

// The fused rung without one of its steps; and with one that it does without.
void packing(const Problem& problem, Output& out);          ///< K is interleaved before it is read
void no_micro_kernel(const Problem& problem, Output& out);  ///< products row by row, not in tiles of registers
void no_blocking(const Problem& problem, Output& out);      ///< the scores of all keys are written, then read
void no_vector_exp(const Problem& problem, Output& out);    ///< 2^x by the C++ library
void no_cut_off(const Problem& problem, Output& out);       ///< weights below 2^-100 are kept, not taken for 0
void no_balance(const Problem& problem, Output& out);       ///< each thread has its share of the rows beforehand

/// Memory beyond inputs and output, in bytes; the others take the fused rung's.
std::size_t packing_workspace(const Problem& problem);
std::size_t no_blocking_workspace(const Problem& problem);

}  // namespace attention::dot_product
