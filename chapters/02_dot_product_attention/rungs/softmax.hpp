#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "mask.hpp"
#include "simd/exp2.hpp"
#include "tensor/tensor.hpp"

namespace attention::dot_product {

using tensor::Index;

/// weights = softmax(scale · scores) of one row in place, with vectors, numerically stable; scale > 0. Gives the row's
/// log-sum-exp. A row that holds a NaN, or +inf, or nothing but −inf becomes NaN, as the formula has it.
///
/// The scale is applied to score − m_i, which is exact for the scores that matter, the near ones; and in two parts, since the
/// rounding of one would shift all of them together.
inline float softmax_row_simd(float* row, Index n, float scale) {
  const double factor = static_cast<double>(scale) * std::numbers::log2e;
  float high = static_cast<float>(factor);
  // Rounded down, so that the rest is not negative and −inf · high + −inf · rest stays −inf.
  if (static_cast<double>(high) > factor) high = std::nextafter(high, 0.F);
  const auto rest = static_cast<float>(factor - static_cast<double>(high));
  const Index whole = n / simd::lanes * simd::lanes;
  // The ragged end is worked on in a copy padded with −inf, whose exponential is 0.
  alignas(64) float end[simd::lanes];
  std::fill(end, end + simd::lanes, -std::numeric_limits<float>::infinity());
  std::copy(row + whole, row + n, end);

  simd::Float largest = simd::load(end);
  for (Index j = 0; j < whole; j += simd::lanes) largest = simd::max(simd::load(row + j), largest);
  float m = simd::maximum(largest);
  if (!(m > -std::numeric_limits<float>::infinity())) m = 0;

  const auto exp = [&](simd::Float score) {
    const simd::Float x = score - simd::broadcast(m);
    return simd::exp2(x * simd::broadcast(high) + x * simd::broadcast(rest));
  };

  const simd::Float last = exp(simd::load(end));
  // Blocks of 1024 exponentials are summed in float32, the blocks in float64: a long row loses nothing.
  auto total = static_cast<double>(simd::sum(last));
  for (Index first = 0; first < whole; first += 1024) {
    simd::Float part = {};
    for (Index j = first; j < std::min<Index>(first + 1024, whole); j += simd::lanes) {
      const simd::Float e = exp(simd::load(row + j));
      simd::store(row + j, e);
      part += e;
    }
    total += static_cast<double>(simd::sum(part));
  }
  const auto l = static_cast<float>(total);

  simd::store(end, last / simd::broadcast(l));
  for (Index j = 0; j < whole; j += simd::lanes) simd::store(row + j, simd::load(row + j) / simd::broadcast(l));
  std::copy(end, end + (n - whole), row + whole);
  return static_cast<float>(static_cast<double>(m) * static_cast<double>(scale) + std::log(total));
}

/// The same over the keys that are seen; the others' weights become 0. Without keys the log-sum-exp is −inf.
inline float masked_softmax_row(float* row, Index n, KeyRange seen, float scale) {
  if (seen.empty()) {
    std::fill(row, row + n, 0.F);
    return -std::numeric_limits<float>::infinity();
  }
  std::fill(row, row + seen.first, 0.F);
  std::fill(row + seen.last, row + n, 0.F);
  return softmax_row_simd(row + seen.first, seen.last - seen.first, scale);
}

}  // namespace attention::dot_product
