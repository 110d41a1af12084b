// Rung 7, fused_bf16: the products in bfloat16, two terms an instruction.
//
// What changed: Q, K, the weights and V are rounded to bfloat16 as they are packed, two numbers in a word of 32 bits. The
// instruction of AVX512_BF16 multiplies the two pairs of a word and adds both products to one float32 sum: twice the terms of
// a fused multiply-add. The sums, the softmax and what is gathered from block to block stay in float32.
//
// The processor is asked when the rung runs. One that lacks the instruction takes the same words apart and multiplies their
// halves one after the other: the same answer to rounding, but no faster than float32.
#include <algorithm>

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
  explicit Bfloat16Arithmetic(simd::MultiplyInterleaved multiply) : BlockArithmetic(multiply) {}

  Index numbers_in_word() const override { return 2; }
  Index room(Index dim) const override { return std::max(dim, simd::lanes * words_of(dim)); }
  bool packs_keys(Index, Index, Index) const override { return true; }
  bool packs_values(Index, Index) const override { return true; }

  void pack_query(const float* query, Index dim, float* to) const override { simd::pair_neighbours(query, dim, to); }

  Interleaved pack_keys(Matrix key, Index count, Index dim, Index, float* room, float* to) const override {
    const Index words = words_of(dim);
    Interleaved packed;
    for (Index j = 0; j < count; j += simd::lanes) {
      const Index rows = std::min<Index>(simd::lanes, count - j);
      for (Index y = 0; y < rows; ++y) simd::pair_neighbours(key.from_row(j + y).data, dim, room + y * words);
      packed = interleave_rows({room, words}, rows, words, to + j * words);
    }
    packed.data = to;
    return packed;
  }

  Interleaved pack_values(Matrix value, Index count, Index value_dim, float* to) const override {
    constexpr Index height = simd::interleaved_rows;
    const Index words = words_of(count);
    for (Index w = 0; w < words; ++w) {
      const float* first = value.from_row(2 * w).data;
      const float* second = 2 * w + 1 < count ? first + value.stride : nullptr;
      // Whole vectors of pairs: a strip is not as high.
      const auto pack = [&](Index c, Index columns) __attribute__((always_inline)) {
        float pairs[simd::lanes];
        simd::pair_rows(first + c, second ? second + c : nullptr, columns, pairs);
        for (Index part = 0; part < columns; part += height) std::copy_n(pairs + part, height, to + (c + part) * words + w * height);
      };
      Index c = 0;
      for (; c + simd::lanes <= value_dim; c += simd::lanes) pack(c, simd::lanes);
      if (c < value_dim) pack(c, value_dim - c);
    }
    return {to, simd::interleaved_rows * words, simd::interleaved_rows};
  }

  void softmax(float* scores, Index keys, int vectors, float* m, float* l, float* alpha) const override {
    online_softmax_of_lanes(scores, keys, vectors, m, l, alpha, RoundedPowerOfTwo());
    const Index width = vectors * simd::lanes;
    for (Index j = 0; j < keys; j += 2)
      simd::pair_rows<simd::Rounded::before>(scores + j * width, j + 1 < keys ? scores + (j + 1) * width : nullptr, width, scores + j / 2 * width);
  }
};

}  // namespace

const BlockArithmetic& bfloat16_arithmetic() {
  static const Bfloat16Arithmetic arithmetic(simd::has_bfloat16_dot() ? simd::bfloat16_dot_product()
                                                                      : &simd::multiply_interleaved<simd::PairTerms>);
  return arithmetic;
}

void fused_bf16(const Problem& p, Output& out) { fused_pass(p, out, bfloat16_arithmetic()); }
std::size_t fused_bf16_workspace(const Problem& p) { return fused_pass_workspace(p, bfloat16_arithmetic()); }

}  // namespace attention::dot_product
