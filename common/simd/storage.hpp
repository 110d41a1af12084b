#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>
#include <xtl/xhalf_float.hpp>

#include "simd/vector.hpp"

namespace attention::simd {

/// How numbers are stored; they are computed in float32.
enum class Storage { float32, bfloat16, float16 };
/// In the order of Storage.
inline std::vector<std::string> storage_names() { return {"float32", "bfloat16", "float16"}; }
inline std::ptrdiff_t bytes_of(Storage storage) { return storage == Storage::float32 ? 4 : 2; }

/// The upper half of a float32: 8 bits of mantissa, the whole range (Wang & Kanwar 2019).
struct Bfloat16 {
  std::uint16_t bits;
};
/// IEEE 754 binary16: 11 bits of mantissa, up to 65504.
struct Float16 {
  std::uint16_t bits;
};

/// Half the distance from 1 to the next bfloat16.
inline constexpr double bfloat16_roundoff = 0x1p-8;

/// Rounded to the nearest, ties to even; NaN stays NaN.
inline Bfloat16 to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return {static_cast<std::uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
inline Float16 to_float16(float x) { return {std::bit_cast<std::uint16_t>(xtl::half_float(x))}; }

inline float widen(float x) { return x; }
inline float widen(Bfloat16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }
inline float widen(Float16 x) { return static_cast<float>(std::bit_cast<xtl::half_float>(x.bits)); }

/// The bits of `lanes` floats.
using Bits = std::uint32_t __attribute__((vector_size(lanes * sizeof(std::uint32_t))));

/// to_bfloat16, lane by lane, the result still in float32: the lower half of every lane is 0.
[[gnu::always_inline]] inline Float round_to_bfloat16(Float x) {
  const Bits bits = std::bit_cast<Bits>(x);
  const Bits nearest = bits + 0x7fff + (bits >> 16 & 1);
  return std::bit_cast<Float>((x != x ? bits | 0x400000 : nearest) & 0xffff0000);
}

/// Reads `lanes` stored numbers from any address.
[[gnu::always_inline]] inline Float load(const Bfloat16* from) {
#if defined(__AVX512F__)
  // Two instructions. Of __builtin_convertvector g++ 12 makes six here: it widens one half, then the other, and joins them.
  __m256i bits;
  std::memcpy(&bits, from, sizeof bits);
  return std::bit_cast<Float>(std::bit_cast<Bits>(_mm512_mask_cvtepu16_epi32(__m512i{}, static_cast<__mmask16>(-1), bits)) << 16);
#else
  using Half = std::uint16_t __attribute__((vector_size(lanes * sizeof(std::uint16_t))));
  Half bits;
  std::memcpy(&bits, from, sizeof bits);
  return std::bit_cast<Float>(__builtin_convertvector(bits, Bits) << 16);
#endif
}
[[gnu::always_inline]] inline Float load(const Float16* from) {
#if defined(__AVX512F__)
  __m256i bits;
  std::memcpy(&bits, from, sizeof bits);
  return _mm512_mask_cvtph_ps(Float{}, static_cast<__mmask16>(-1), bits);
#elif defined(__F16C__)
  __m128i bits;
  std::memcpy(&bits, from, sizeof bits);
  return _mm256_cvtph_ps(bits);
#else
  Float wide;
  for (int i = 0; i < lanes; ++i) wide[i] = widen(from[i]);
  return wide;
#endif
}

/// The same by the kind of storage; float32 has no 16 bits.
inline std::uint16_t to_bits(Storage storage, float x) {
  return storage == Storage::bfloat16 ? to_bfloat16(x).bits : to_float16(x).bits;
}
inline float widen(Storage storage, std::uint16_t bits) {
  return storage == Storage::bfloat16 ? widen(Bfloat16{bits}) : widen(Float16{bits});
}

/// to[0 … count] = from[0 … count] in float32.
template <class Stored>
void widen_row(const Stored* from, std::ptrdiff_t count, float* to) {
  const std::ptrdiff_t whole = count / lanes * lanes;
  for (std::ptrdiff_t c = 0; c < whole; c += lanes) store(to + c, load(from + c));
  for (std::ptrdiff_t c = whole; c < count; ++c) to[c] = widen(from[c]);
}
inline void widen_row(Storage storage, const std::uint16_t* from, std::ptrdiff_t count, float* to) {
  if (storage == Storage::bfloat16)
    widen_row(reinterpret_cast<const Bfloat16*>(from), count, to);
  else
    widen_row(reinterpret_cast<const Float16*>(from), count, to);
}

/// Reads two vectors' worth: to[0] and to[1], in an order of their own, which place_in_pair tells.
template <class Stored>
[[gnu::always_inline]] inline void load_pair(const Stored* from, Float* to) {
  to[0] = load(from);
  to[1] = load(from + lanes);
}
/// Two bfloat16 stand in the bits of one float: a shift lifts the first, a mask leaves the second. One load and two instructions for two
/// vectors, where in order each takes a load and two.
[[gnu::always_inline]] inline void load_pair(const Bfloat16* from, Float* to) {
  static_assert(std::endian::native == std::endian::little);
  Bits both;
  std::memcpy(&both, from, sizeof both);
  to[0] = std::bit_cast<Float>(both << 16);
  to[1] = std::bit_cast<Float>(both & 0xffff0000);
}

/// Where in memory the number stands that load_pair puts in place i, 0 ≤ i < 2 · lanes.
template <class Stored>
constexpr std::ptrdiff_t place_in_pair(std::ptrdiff_t i) {
  if constexpr (std::is_same_v<Stored, Bfloat16>) return i < lanes ? 2 * i : 2 * (i - lanes) + 1;
  return i;
}

/// to[0 … count] = from[0 … count] in float32, in the order of load_pair; what fills no pair stays where it is.
template <class Stored>
void widen_pairs(const Stored* from, std::ptrdiff_t count, float* to) {
  const std::ptrdiff_t whole = count / (2 * lanes) * (2 * lanes);
  for (std::ptrdiff_t c = 0; c < whole; c += 2 * lanes) {
    std::array<Float, 2> pair;
    load_pair(from + c, pair.data());
    store(to + c, pair[0]);
    store(to + c + lanes, pair[1]);
  }
  widen_row(from + whole, count - whole, to + whole);
}

/// A row of floats in the order in which load_pair reads it, and back. What fills no pair stays where it is.
template <class Stored>
void to_pair_order(float* row, std::ptrdiff_t count) {
  if constexpr (std::is_same_v<Stored, Bfloat16>)
    for (; count >= 2 * lanes; count -= 2 * lanes, row += 2 * lanes) {
      std::array<float, 2 * lanes> pair;
      for (std::ptrdiff_t i = 0; i < 2 * lanes; ++i) pair[static_cast<std::size_t>(i)] = row[place_in_pair<Stored>(i)];
      std::copy(pair.begin(), pair.end(), row);
    }
}
template <class Stored>
void from_pair_order(float* row, std::ptrdiff_t count) {
  if constexpr (std::is_same_v<Stored, Bfloat16>)
    for (; count >= 2 * lanes; count -= 2 * lanes, row += 2 * lanes) {
      std::array<float, 2 * lanes> pair;
      for (std::ptrdiff_t i = 0; i < 2 * lanes; ++i) pair[static_cast<std::size_t>(place_in_pair<Stored>(i))] = row[i];
      std::copy(pair.begin(), pair.end(), row);
    }
}

}  // namespace attention::simd
