#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace attention::numerics {

/// The 64-bit sum of Fowler, Noll and Vo (FNV-1a), byte by byte. It finds a changed byte, a cut and a swap; it is no seal against
/// a forger.
class Fnv1a {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* next = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) value_ = (value_ ^ next[i]) * 0x100000001B3ULL;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

/// A hash of the text that is the same on every machine, each of its 64 bits as good as any other: FNV-1a and the last step of
/// SplitMix64 (Steele et al. 2014), without which the upper bits of short texts are hardly mixed.
inline std::uint64_t hash_of(std::string_view text) {
  Fnv1a sum;
  sum.add(text.data(), text.size());
  std::uint64_t z = sum.value();
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace attention::numerics
