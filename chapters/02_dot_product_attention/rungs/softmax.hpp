#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "simd/exp2.hpp"
#include "tensor/tensor.hpp"

namespace attention::dot_product {

using tensor::Index;

/// Softmax of one row of n scores in place, with vectors, numerically stable; gives the row's log-sum-exp.
/// A row that holds a NaN, or +inf, or nothing but −inf becomes NaN, as the formula has it.
inline float softmax_row_simd(float* row, Index n) {
  const Index whole = n / simd::lanes * simd::lanes;
  // The ragged end is worked on in a copy padded with −inf, whose exponential is 0.
  alignas(64) float end[simd::lanes];
  std::fill(end, end + simd::lanes, -std::numeric_limits<float>::infinity());
  std::copy(row + whole, row + n, end);

  simd::Float largest = simd::load(end);
  for (Index j = 0; j < whole; j += simd::lanes) largest = simd::max(simd::load(row + j), largest);
  float m = simd::maximum(largest);
  if (!(m > -std::numeric_limits<float>::infinity())) m = 0;

  const simd::Float last = simd::exp(simd::load(end) - simd::broadcast(m));
  // Blocks of 1024 exponentials are summed in float32, the blocks in float64: a long row loses nothing.
  auto total = static_cast<double>(simd::sum(last));
  for (Index first = 0; first < whole; first += 1024) {
    simd::Float part = {};
    for (Index j = first; j < std::min<Index>(first + 1024, whole); j += simd::lanes) {
      const simd::Float e = simd::exp(simd::load(row + j) - simd::broadcast(m));
      simd::store(row + j, e);
      part += e;
    }
    total += static_cast<double>(simd::sum(part));
  }
  const auto l = static_cast<float>(total);

  simd::store(end, last / simd::broadcast(l));
  for (Index j = 0; j < whole; j += simd::lanes) simd::store(row + j, simd::load(row + j) / simd::broadcast(l));
  std::copy(end, end + (n - whole), row + whole);
  return m + std::log(l);
}

}  // namespace attention::dot_product
