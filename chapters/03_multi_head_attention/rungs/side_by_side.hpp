#pragma once

#include <string_view>

#include "multi_head_backward.hpp"

namespace attention::multi_head {

/// A matrix as a factor of a product: row-major, or the transpose of one that is.
struct Factor {
  const float* data;
  bool transposed = false;
};

/// c [rows × columns] = a [rows × depth] · b [depth × columns], with all threads.
using Product = void (*)(Index rows, Index columns, Index depth, Factor a, Factor b, float* c);

/// The backward pass with the matrices of all heads side by side, as one: four products of `product`, and between them chapter
/// 2's rung of that name in the heads.
void backward_side_by_side(const BackwardProblem& problem, std::string_view head_rung, Product product, BackwardOutput& out);

/// What it takes beside what `product` takes, in bytes.
std::size_t side_by_side_workspace(const BackwardProblem& problem, std::string_view head_rung);

/// The blocked product of the fast rungs (common/simd/matrix_product.hpp), factors transposed beforehand where need be.
void blocked_product(Index rows, Index columns, Index depth, Factor a, Factor b, float* c);
std::size_t blocked_product_workspace(const BackwardProblem& problem);

}  // namespace attention::multi_head
