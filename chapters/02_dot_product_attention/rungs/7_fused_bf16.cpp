// Rung 7, fused_bf16: the products in bfloat16, two terms an instruction.
//
// What changed: Q, K, the weights and V are rounded to bfloat16 as they are packed, two numbers in a word of 32 bits. The
// instruction of AVX512_BF16 multiplies the two pairs of a word and adds both products to one float32 sum: twice the terms of
// a fused multiply-add. The sums, the softmax and what is gathered from block to block stay in float32.
//
// The processor is asked when the rung runs. One that lacks the instruction takes the same words apart and multiplies their
// halves one after the other: the same answer to rounding, but no faster than float32.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "rungs/fused_pass.hpp"
#include "rungs/online_softmax.hpp"
#include "rungs/rungs.hpp"
#include "simd/bfloat16_dot.hpp"
#include "simd/bfloat16_pairs.hpp"

namespace attention::dot_product {

namespace {

/// A weight is rounded before it is added to the sum l_i: what the weights have lost, their sum has lost too.
struct RoundedPowerOfTwo {
  [[gnu::always_inline]] simd::Float operator()(simd::Float x) const { return simd::round_to_bfloat16(simd::exp2(x)); }
};

class Bfloat16Arithmetic : public BlockArithmetic {
 public:
  explicit Bfloat16Arithmetic(const simd::StripKernels& kernels) : BlockArithmetic(kernels, simd::tile_rows) {}

  Index numbers_in_word() const override { return 2; }
  Index room(Index dim) const override { return std::max(dim, simd::panel_columns * words_of(dim)); }
  bool packs_values(Index, Index) const override { return true; }

  void pack_query(const float* query, Index dim, float* to) const override { simd::pair_neighbours(query, dim, to); }

  Matrix pack_keys(Matrix key, Index count, Index dim, float* room, float* to) const override {
    const Index words = words_of(dim);
    for (Index j = 0; j < count; j += simd::panel_columns) {
      const Index columns = std::min<Index>(simd::panel_columns, count - j);
      for (Index x = 0; x < columns; ++x) simd::pair_neighbours(key.from_row(j + x).data, dim, room + x * words);
      dot_product::pack_keys(room, words, columns, words, to + j * words);
    }
    return {to, words};
  }

  Matrix pack_values(Matrix value, Index count, Index value_dim, float* to) const override {
    const Index stride = round_up(value_dim, simd::lanes);
    for (Index j = 0; j < count; j += 2) {
      float* pairs = to + j / 2 * stride;
      simd::pair_rows(value.from_row(j).data, j + 1 < count ? value.from_row(j + 1).data : nullptr, value_dim, pairs);
      std::fill(pairs + value_dim, pairs + stride, 0.F);
    }
    return {to, stride};
  }

  bool all_finite(Matrix packed, Index count, Index value_dim) const override {
    constexpr std::uint32_t low = 0x00007f80;  // the exponent of the lower number: all ones in NaN and infinity
    constexpr std::uint32_t high = 0x7f800000;
    bool finite = true;
    for (Index w = 0; w < words_of(count); ++w)
      for (Index c = 0; c < value_dim; ++c) {
        const auto word = std::bit_cast<std::uint32_t>(packed.from_row(w).data[c]);
        finite &= (word & low) != low && (word & high) != high;
      }
    return finite;
  }

  float softmax(float* row, Index keys, float& m_i, float& l_i) const override {
    const float alpha = online_softmax(row, keys, m_i, l_i, RoundedPowerOfTwo());
    simd::pair_neighbours(row, keys, row);
    return alpha;
  }
};

}  // namespace

const BlockArithmetic& bfloat16_arithmetic() {
  static const Bfloat16Arithmetic arithmetic(simd::has_bfloat16_dot() ? *simd::bfloat16_dot_kernels()
                                                                      : simd::strip_kernels<simd::PairTerms>());
  return arithmetic;
}

void fused_bf16(const Problem& p, Output& out) { fused_pass(p, out, bfloat16_arithmetic()); }
std::size_t fused_bf16_workspace(const Problem& p) { return fused_pass_workspace(p, bfloat16_arithmetic()); }

}  // namespace attention::dot_product
