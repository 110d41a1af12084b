#pragma once

#include <span>

/// Measures of one distribution and of two over the same things. Values are at least 0; where they should sum to
/// 1, it is the caller who sees to that.
namespace attention::numerics {

/// −Σ p log₂ p: 0 where one thing has all, log₂ n where all n have the same.
template <class Real>
double entropy_in_bits(std::span<const Real> p);

/// Jensen–Shannon divergence in bits: the mean of the Kullback–Leibler divergences of both from their mean; 0 where
/// they are equal, 1 where they share nothing (Lin 1991, Divergence Measures Based on the Shannon Entropy, equation
/// 4.1). Throws std::invalid_argument where the lengths differ.
template <class Real>
double jensen_shannon_in_bits(std::span<const Real> p, std::span<const Real> q);

/// Half of Σ |p − q|, 0 to 1: the largest difference that both give to the probability of anything. Throws
/// std::invalid_argument where the lengths differ.
template <class Real>
double total_variation(std::span<const Real> p, std::span<const Real> q);

#define ATTENTION_DECLARE(Real)                                                              \
  extern template double entropy_in_bits(std::span<const Real>);                             \
  extern template double jensen_shannon_in_bits(std::span<const Real>, std::span<const Real>); \
  extern template double total_variation(std::span<const Real>, std::span<const Real>);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::numerics
