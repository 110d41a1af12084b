#pragma once

#include "tensor/tensor.hpp"

namespace attention::self_attention {

using tensor::Index;

/// c[rows × columns] = a[rows × depth] · b[depth × columns], row-major and dense, on all threads: panels of b, and the
/// register-blocked micro-kernel. Sums start anew after product_block terms and are added in pairs. The same bits with any
/// number of threads.
void multiply(const float* a, Index rows, Index depth, const float* b, Index columns, float* c);

inline constexpr Index product_block = 16;

/// Bytes that `multiply` takes.
std::size_t multiply_workspace(Index depth, Index columns);

}  // namespace attention::self_attention
