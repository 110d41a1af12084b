#pragma once

#include <algorithm>

#include "simd/storage.hpp"

/// Two bfloat16 numbers in a word of 32 bits: what the dot-product instruction of AVX512_BF16 multiplies. Words are kept as
/// floats, whose bits are moved and never computed with.
namespace attention::simd {

/// Words that hold `count` numbers, two in each.
inline std::ptrdiff_t pairs_of(std::ptrdiff_t count) { return (count + 1) / 2; }

namespace detail {
/// The lower halves of `low` and the upper halves of `high`, both shifted into place.
[[gnu::always_inline]] inline Float join(Float low, Float high) {
  return std::bit_cast<Float>(std::bit_cast<Bits>(low) >> 16 | (std::bit_cast<Bits>(high) & 0xffff0000));
}

/// The numbers of `a`, then those of `b`, two and two.
template <int... I>
[[gnu::always_inline]] inline Float pair_up(Float a, Float b, std::integer_sequence<int, I...>) {
  return join(__builtin_shufflevector(a, b, (2 * I)...), __builtin_shufflevector(a, b, (2 * I + 1)...));
}
}  // namespace detail

/// to[c] = the pair (from[2c], from[2c + 1]), rounded to bfloat16; an odd last number is paired with 0. `to` may be `from`.
inline void pair_neighbours(const float* from, std::ptrdiff_t count, float* to) {
  const auto pairs_at = [](const float* at) {
    return detail::pair_up(round_to_bfloat16(load(at)), round_to_bfloat16(load(at + lanes)), std::make_integer_sequence<int, lanes>{});
  };
  std::ptrdiff_t c = 0;
  for (; c + 2 * lanes <= count; c += 2 * lanes) store(to + c / 2, pairs_at(from + c));
  if (c == count) return;
  float rest[2 * lanes] = {};
  std::copy(from + c, from + count, rest);
  float pairs[lanes];
  store(pairs, pairs_at(rest));
  std::memcpy(to + c / 2, pairs, static_cast<std::size_t>(pairs_of(count - c)) * sizeof(float));
}

/// Whether numbers that are paired have been rounded before: once is enough.
enum class Rounded { before, now };

/// to[c] = the pair (first[c], second[c]) in bfloat16; `second` null: paired with 0.
template <Rounded rounded = Rounded::now>
inline void pair_rows(const float* first, const float* second, std::ptrdiff_t count, float* to) {
  const auto pair = [&](Float a, Float b) {
    return rounded == Rounded::before ? detail::join(a, b) : detail::join(round_to_bfloat16(a), round_to_bfloat16(b));
  };
  std::ptrdiff_t c = 0;
  for (; c + lanes <= count; c += lanes) store(to + c, pair(load(first + c), second ? load(second + c) : Float{}));
  if (c == count) return;
  const std::size_t left = static_cast<std::size_t>(count - c) * sizeof(float);
  float a[lanes] = {};
  float b[lanes] = {};
  std::memcpy(a, first + c, left);
  if (second) std::memcpy(b, second + c, left);
  float pairs[lanes];
  store(pairs, pair(load(a), load(b)));
  std::memcpy(to + c, pairs, left);
}

/// The terms of a product of pairs, see FloatTerms: the lower halves are multiplied, then the upper ones. Two products for one
/// word, and no instruction of AVX512_BF16.
struct PairTerms {
  static constexpr int parts = 2;
  static Float broadcast_word(const float* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return std::bit_cast<Float>(word - Bits{});
  }
  template <int part>
  static Float part_of(Float word) {
    const Bits bits = std::bit_cast<Bits>(word);
    return std::bit_cast<Float>(part == 0 ? bits << 16 : bits & 0xffff0000);
  }
  static void add(Float& sum, Float a, Float b) { sum += a * b; }
};

}  // namespace attention::simd
