// The rung in bfloat16: what is exact must be, what is masked has no effect, and the instruction agrees with its stand-in.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "catch.hpp"
#include "fused_case.hpp"
#include "machine/affinity.hpp"
#include "numerics/random.hpp"
#include "rungs/fused_pass.hpp"
#include "simd/bfloat16_dot.hpp"
#include "simd/bfloat16_pairs.hpp"

using namespace attention;
using namespace attention::dot_product;
using attention::dot_product::tests::Case;

TEST_CASE("bfloat16 pairs hold what a number is rounded to, wherever it stands", "[bf16]") {
  numerics::Random random(3);
  for (const Index count : {1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127}) {
    const auto size = static_cast<std::size_t>(count);
    std::vector<float> first(size), second(size), rows(size), neighbours(static_cast<std::size_t>(simd::pairs_of(count)) + 1, 7.F);
    for (float& x : first) x = static_cast<float>(random.normal());
    for (float& x : second) x = static_cast<float>(random.normal());
    first[0] = std::numeric_limits<float>::quiet_NaN();
    second[0] = std::numeric_limits<float>::infinity();
    const auto bits = [](float word) { return std::bit_cast<std::uint32_t>(word); };
    const auto half = [](float x) { return std::uint32_t{simd::to_bfloat16(x).bits}; };

    simd::pair_rows(first.data(), second.data(), count, rows.data());
    for (std::size_t c = 0; c < size; ++c) CHECK(bits(rows[c]) == (half(first[c]) | half(second[c]) << 16));
    simd::pair_rows(first.data(), nullptr, count, rows.data());
    for (std::size_t c = 0; c < size; ++c) CHECK(bits(rows[c]) == half(first[c]));
    simd::pair_neighbours(first.data(), count, neighbours.data());
    for (std::size_t c = 0; c < size; ++c) CHECK(((bits(neighbours[c / 2]) >> (c % 2 * 16)) & 0xffff) == half(first[c]));
    if (count % 2 == 1) CHECK(bits(neighbours[size / 2]) >> 16 == 0);
    CHECK(neighbours.back() == 7.F);
  }
}

namespace {

/// Every number fits bfloat16, and so does Q with its factor: scale · log2(e) is 1.
Case exact_case(Mask mask) {
  Case c(mask);
  for (std::vector<float>* numbers : {&c.query, &c.key, &c.value})
    for (float& x : *numbers) x = simd::widen(simd::to_bfloat16(x));
  return c;
}
FusedProblem exact_problem(Case& c) {
  FusedProblem f = c.problem();
  f.scale = std::numbers::ln2_v<float>;
  return f;
}

}  // namespace

TEST_CASE("dot-product in bfloat16: only the weights are rounded where all else fits", "[bf16]") {
  machine::use_threads(2);
  for (const Mask mask : {Mask::full(), Mask::causal(), Mask::sliding_window(40, 20), Mask::causal(-30)}) {
    Case c = exact_case(mask);
    fused_attention(exact_problem(c));
    const std::vector<float> precise = c.output;
    const std::vector<float> precise_lse = c.lse;
    fused_pass(exact_problem(c), bfloat16_arithmetic());
    float largest = 0;
    float value = 0;
    for (const float v : c.value) value = std::max(value, std::abs(v));
    for (std::size_t i = 0; i < precise.size(); ++i) largest = std::max(largest, std::abs(precise[i] - c.output[i]));
    // Each weight is off by 2^-8 of itself at most, and the sum by which they are divided is theirs.
    CHECK(largest <= 2 * value * static_cast<float>(simd::bfloat16_roundoff));
    CHECK(largest > 0);
    for (std::size_t i = 0; i < precise_lse.size(); ++i)
      if (precise_lse[i] != c.lse[i])
        CHECK(std::abs(precise_lse[i] - c.lse[i]) <= 1.01F * static_cast<float>(simd::bfloat16_roundoff));
  }
}

TEST_CASE("dot-product in bfloat16: what is masked has no effect, bit for bit", "[bf16]") {
  for (const int threads : {1, 2}) {
    machine::use_threads(threads);
    const auto run = [](bool spoil) {
      Case c(Mask::causal(30));
      c.key_lengths = {c.keys, 97};
      if (spoil) c.spoil_keys(97);
      fused_pass(c.problem(), bfloat16_arithmetic());
      return c.output;
    };
    const std::vector<float> plain = run(false);
    CHECK(std::ranges::all_of(plain, [](float x) { return std::isfinite(x); }));
    CHECK(plain == run(true));
  }
}

TEST_CASE("dot-product in bfloat16: the instruction gives what its stand-in gives", "[bf16]") {
  const simd::MultiplyInterleaved dot = simd::bfloat16_dot_product();
  if (!dot) {
    WARN("left out: this processor has no AVX512_BF16, or the build does not use it");
    return;
  }
  numerics::Random random(4);
  constexpr Index depth = 75;
  constexpr Index width = simd::interleaved_vectors * simd::lanes;
  std::vector<float> a(simd::interleaved_rows * depth), b(depth * width);
  const auto pair = [&] {
    const auto low = simd::to_bfloat16(static_cast<float>(random.normal()));
    const auto high = simd::to_bfloat16(static_cast<float>(random.normal()));
    return std::bit_cast<float>(std::uint32_t{low.bits} | std::uint32_t{high.bits} << 16);
  };
  std::ranges::generate(a, pair);
  std::ranges::generate(b, pair);
  for (Index rows = 1; rows <= simd::interleaved_rows; ++rows) {
    std::vector<float> x(simd::interleaved_rows * width, 0.F), y = x;
    dot(rows, simd::interleaved_vectors, depth, a.data(), 0, simd::interleaved_rows, b.data(), x.data(), nullptr);
    simd::multiply_interleaved<simd::PairTerms>(rows, simd::interleaved_vectors, depth, a.data(), 0, simd::interleaved_rows, b.data(), y.data(),
                                                nullptr);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - y[i]) < 1e-4F);
  }
}
