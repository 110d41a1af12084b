#pragma once

#include <cmath>

namespace attention::numerics {

/// Unit roundoff of float32: half the distance from 1 to the next number.
inline constexpr double unit_roundoff = 0x1p-24;

/// Relative error of a float32 sum of `terms` products that one accumulator takes in one after the other, as a share of the
/// sum of their magnitudes. Roundings do not all point one way: with probability 1 − 2·exp(−c²/2) for c = 6 the error
/// stays below c·sqrt(terms)·u (Higham and Mary 2019, theorem 2.4), where the worst case would be terms·u.
inline double sum_error(double terms) { return 6 * std::sqrt(terms + 1) * unit_roundoff; }

}  // namespace attention::numerics
