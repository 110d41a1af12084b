#pragma once

#include "tensor/tensor.hpp"

namespace attention::autograd {

using tensor::Index;

/// C[rows × columns] += L · R, where L is left, or leftᵀ, of shape [rows × depth], and R is right, or rightᵀ, of shape
/// [depth × columns]. All matrices are dense and row-major as they lie in memory.
struct ProductShape {
  Index rows, columns, depth;
  bool left_transposed = false;
  bool right_transposed = false;
};

/// Below so many rows a matrix is read less often than packing it takes.
inline constexpr Index few_rows = 4;

/// The product, added to C, by the calling thread alone. In float32 by the register-blocked micro-kernel from few_rows on, else by plain
/// loops; in float64 by plain loops.
template <class Real>
void multiply(const ProductShape& shape, const Real* left, const Real* right, Real* c);

/// A matrix, or its transpose, packed for multiply_packed.
tensor::UnsetBuffer pack(const float* matrix, Index rows, Index columns, bool transposed);

/// C[rows × columns] = left · B for a B that pack() has packed.
void multiply_by_packed(Index rows, Index columns, Index depth, const float* left, const float* packed, float* c);

/// into[i] += from[i].
template <class Real>
void add(const Real* from, Index count, Real* into) {
  for (Index i = 0; i < count; ++i) into[i] += from[i];
}

extern template void multiply(const ProductShape&, const float*, const float*, float*);
extern template void multiply(const ProductShape&, const double*, const double*, double*);

}  // namespace attention::autograd
