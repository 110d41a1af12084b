#pragma once

#include "simd/interleaved_tile.hpp"

/// The dot-product instruction of AVX512_BF16: two products of bfloat16, added to a float32. The processor is asked when the
/// program runs; in a build without AVX-512 there is none.
namespace attention::simd {

/// Whether this processor has the instruction, and this build can use it.
bool has_bfloat16_dot();

/// multiply_interleaved over words of two bfloat16, by the instruction; null where there is none.
MultiplyInterleaved bfloat16_dot_product();

/// Multiplies and adds on registers only, 24 chains of `steps` instructions with lanes · 4 operations each. 0 where there is none.
float bfloat16_dot_chains(long steps);

}  // namespace attention::simd
