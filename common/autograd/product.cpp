#include "autograd/product.hpp"

#include <type_traits>

#include "simd/matrix_product.hpp"
#include "simd/transpose.hpp"

namespace attention::autograd {

namespace {

using tensor::UnsetBuffer;

UnsetBuffer transposed(const float* from, Index rows, Index columns) {
  UnsetBuffer to(size(rows * columns));
  simd::transpose(from, columns, rows, columns, to.data(), rows);
  return to;
}

template <class Real>
void plain(const ProductShape& s, const Real* left, const Real* right, Real* c) {
  for (Index i = 0; i < s.rows; ++i) {
    Real* to = c + i * s.columns;
    if (s.right_transposed) {
      for (Index j = 0; j < s.columns; ++j) {
        Real sum = 0;
        const Real* column = right + j * s.depth;
        if (s.left_transposed) {
          for (Index k = 0; k < s.depth; ++k) sum += left[k * s.rows + i] * column[k];
        } else {
          const Real* row = left + i * s.depth;
#pragma omp simd reduction(+ : sum)
          for (Index k = 0; k < s.depth; ++k) sum += row[k] * column[k];
        }
        to[j] += sum;
      }
    } else {
      for (Index k = 0; k < s.depth; ++k) {
        const Real factor = s.left_transposed ? left[k * s.rows + i] : left[i * s.depth + k];
        const Real* row = right + k * s.columns;
#pragma omp simd
        for (Index j = 0; j < s.columns; ++j) to[j] += factor * row[j];
      }
    }
  }
}

}  // namespace

UnsetBuffer pack(const float* matrix, Index rows, Index columns, bool as_transposed) {
  if (as_transposed) {
    const UnsetBuffer turned = transposed(matrix, rows, columns);
    return pack(turned.data(), columns, rows, false);
  }
  UnsetBuffer packed(size(simd::packed_size(rows, columns)));
  simd::pack_panels(matrix, columns, rows, columns, packed.data());
  return packed;
}

void multiply_by_packed(Index rows, Index columns, Index depth, const float* left, const float* packed, float* c) {
  simd::multiply_packed(rows, columns, depth, left, depth, packed, c, columns);
}

template <class Real>
void multiply(const ProductShape& s, const Real* left, const Real* right, Real* c) {
  if (s.rows == 0 || s.columns == 0 || s.depth == 0) return;
  if constexpr (std::is_same_v<Real, float>) {
    if (s.rows >= few_rows) {
      const UnsetBuffer turned = s.left_transposed ? transposed(left, s.depth, s.rows) : UnsetBuffer();
      const UnsetBuffer packed = s.right_transposed ? pack(right, s.columns, s.depth, true) : pack(right, s.depth, s.columns, false);
      UnsetBuffer product(size(s.rows * s.columns));
      multiply_by_packed(s.rows, s.columns, s.depth, s.left_transposed ? turned.data() : left, packed.data(), product.data());
      add(product.data(), s.rows * s.columns, c);
      return;
    }
  }
  plain(s, left, right, c);
}

template void multiply(const ProductShape&, const float*, const float*, float*);
template void multiply(const ProductShape&, const double*, const double*, double*);

}  // namespace attention::autograd
