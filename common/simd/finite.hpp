#pragma once

#include <cstddef>

namespace attention::simd {

/// Whether a matrix, its rows `stride` floats apart, holds no NaN and no infinity: they are what stays no zero when multiplied
/// by 0.
inline bool all_finite(const float* matrix, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t columns) {
  float sum = 0;
  for (std::ptrdiff_t j = 0; j < rows; ++j)
#pragma omp simd reduction(+ : sum)
    for (std::ptrdiff_t c = 0; c < columns; ++c) sum += 0 * matrix[j * stride + c];
  return sum == 0;
}

}  // namespace attention::simd
