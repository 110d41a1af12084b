// Compiled for AVX512_BF16 even where the building processor lacks it (see CMakeLists.txt): but for has_bfloat16_dot, nothing here
// may run before the processor has been asked.
#include "simd/bfloat16_dot.hpp"

#include "simd/bfloat16_pairs.hpp"

namespace attention::simd {

#if defined(__AVX512BF16__)

namespace {

/// PairTerms in one instruction. The type is this file's own, and so is the code that is made for it.
struct DotPairTerms {
  static constexpr int parts = 1;
  static Float broadcast_word(const float* at) { return PairTerms::broadcast_word(at); }
  template <int part>
  static Float part_of(Float word) {
    return word;
  }
  static void add(Float& sum, Float a, Float b) {
    sum = _mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b));
  }
};

volatile std::uint32_t two_halves = 0x3f003f00;  // (0.5, 0.5); volatile: the compiler does not know

}  // namespace

bool has_bfloat16_dot() {
  static const bool has = __builtin_cpu_supports("avx512bf16");
  return has;
}

MultiplyInterleaved bfloat16_dot_product() { return has_bfloat16_dot() ? &multiply_interleaved<DotPairTerms> : nullptr; }

float bfloat16_dot_chains(long steps) {
  if (!has_bfloat16_dot()) return 0;
  const Float word = std::bit_cast<Float>(two_halves - Bits{});
  Float chain[24] = {};
  for (long step = 0; step < steps; ++step)
    unrolled<24>([&](auto i) __attribute__((always_inline)) { DotPairTerms::add(chain[i], word, word); });
  Float total{};
  unrolled<24>([&](auto i) __attribute__((always_inline)) { total += chain[i]; });
  return sum(total);
}

#else

bool has_bfloat16_dot() { return false; }
MultiplyInterleaved bfloat16_dot_product() { return nullptr; }
float bfloat16_dot_chains(long) { return 0; }

#endif

}  // namespace attention::simd
