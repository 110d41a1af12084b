#pragma once

#include <algorithm>
#include <cmath>

namespace attention::numerics {

/// Unit roundoff of float32: half the distance from 1 to the next number.
inline constexpr double unit_roundoff = 0x1p-24;

/// Error of a float32 sum that goes through `terms` additions one after the other, as a share of the largest partial sum: each
/// addition rounds by at most u times what it gives. Roundings do not all point one way: with probability
/// 1 − 2·exp(−c²/2), here for c = 6, they add up to less than c·sqrt(terms)·u (the argument of Higham and Mary 2019,
/// theorem 2.4), where the worst case would be terms·u.
inline double sum_error(double terms) { return 6 * std::sqrt(terms + 1) * unit_roundoff; }

/// Additions that a term goes through where a sum starts anew after each `block` terms: those of its block, and one for each
/// block. 0: one chain over all terms.
inline double chain(double terms, double block) { return block > 0 ? std::min(block + terms / block, terms) : terms; }

/// Largest |x| among the finite entries: errors scale with it.
template <class Tensor>
double largest_finite(const Tensor& tensor) {
  double largest = 0;
  for (const auto x : tensor)
    if (std::isfinite(x)) largest = std::max(largest, std::abs(static_cast<double>(x)));
  return largest;
}

}  // namespace attention::numerics
