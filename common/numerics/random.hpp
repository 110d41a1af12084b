#pragma once

#include <cstdint>

namespace attention::numerics {

/// A counter-based source of random numbers (SplitMix64, Steele et al. 2014): the i-th number depends on seed and i alone, so
/// the same problem is made on every machine and by any number of threads.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11U) * 0x1p-53; }

  /// Close to normal, mean 0 and variance 1: the sum of four 16-bit uniform numbers. Never beyond ±3.47.
  float normal() {
    const std::uint64_t b = bits();
    const auto sum = static_cast<std::int32_t>((b & 0xFFFF) + ((b >> 16U) & 0xFFFF) + ((b >> 32U) & 0xFFFF) + (b >> 48U));
    return static_cast<float>(sum - 2 * 0xFFFF) * 2.6428e-5F;
  }

 private:
  std::uint64_t state_;
};

}  // namespace attention::numerics
