// Few queries against many keys: the same answers as the formula's, from chunks of keys, and from K and V in 16 bits.
#include <algorithm>
#include <functional>
#include <limits>

#include "catch.hpp"
#include "fused_case.hpp"
#include "machine/affinity.hpp"
#include "rungs/decode.hpp"

using namespace attention;
using namespace attention::dot_product;
using attention::dot_product::tests::Case;

namespace {

/// Two queries for each of three heads that share K and V; three chunks of keys.
constexpr Index queries = 2;
constexpr Index keys = 2307;

Case decoding(Mask mask, bool biased = false) { return Case(mask, biased, queries, keys); }

}  // namespace

TEST_CASE("decode: masks, lengths and biases agree with the formula", "[mask][decode]") {
  machine::use_threads(2);
  REQUIRE(is_decoding(decoding(Mask::full()).problem()));
  const std::function<void(Case&)> ways[] = {
      [](Case&) {},
      [](Case& c) { c.key_lengths = {1024, 2049}; },
      [](Case& c) { c.key_lengths = {0, 1}; },
      [](Case& c) { c.allow_some(); },
      [](Case& c) { c.add_bias(); },
      [](Case& c) { c.softcap = 2, c.biased = true; },
      [](Case& c) { c.key_lengths = {60, 2000}, c.key_offsets = {60 - queries, 2000 - queries}; },
  };
  for (const Mask mask : {Mask::full(), Mask::causal(keys - queries), Mask::causal(1022), Mask::sliding_window(1100, keys - queries),
                          Mask::sliding_window(1, 5), Mask::causal(-1)})
    for (std::size_t way = 0; way < std::size(ways); ++way) {
      INFO("left " << mask.left << ", right " << mask.right << ", offset " << mask.offset << ", way " << way);
      Case c = decoding(mask);
      ways[way](c);
      if (!c.key_offsets.empty() && c.mask.is_full()) continue;
      fused_attention(c.problem());
      CHECK(c.error() < 3e-6);
    }
}

TEST_CASE("decode: K and V in 16 bits give what their values give", "[mask][decode]") {
  machine::use_threads(2);
  for (const simd::Storage storage : {simd::Storage::bfloat16, simd::Storage::float16})
    for (const Index n : {Index{2}, Index{70}}) {  // decoded, and blocked
      INFO("storage " << static_cast<int>(storage) << ", " << n << " queries");
      Case half(Mask::causal(200), false, n, 1100);
      half.store_as(storage);
      fused_attention(half.problem());
      CHECK(half.error() < 3e-6);
      // The bits are those of the same values in float32.
      const std::vector<float> from_half = half.output;
      half.storage = simd::Storage::float32;
      fused_attention(half.problem());
      CHECK(half.output == from_half);
    }
}

TEST_CASE("decode: rows of any width, one, several or many queries to a key head", "[mask][decode]") {
  machine::use_threads(2);
  constexpr Index pair = 2 * simd::lanes;
  for (const simd::Storage storage : {simd::Storage::float32, simd::Storage::bfloat16, simd::Storage::float16})
    for (const Index width : {pair - 1, pair, pair + simd::lanes, 3 * pair + simd::lanes + 3, 4 * pair, 8 * pair + 1})
      for (const Index rows : {1, 4})          // a row sees fewer keys than the next
        for (const Index key_heads : {1, 6}) {  // read once for six heads, or by each for itself
          INFO("storage " << static_cast<int>(storage) << ", width " << width << ", " << rows << " queries, " << key_heads << " key heads");
          Case c(Mask::causal(290), false, rows, 310, width, pair + width);
          c.key_heads = key_heads;
          c.fill();
          if (storage != simd::Storage::float32) c.store_as(storage);
          REQUIRE(is_decoding(c.problem()));
          fused_attention(c.problem());
          CHECK(c.error() < 3e-6);
          const std::vector<float> all = c.output;
          machine::use_threads(1);
          fused_attention(c.problem());
          machine::use_threads(2);
          CHECK(c.output == all);
          if (storage == simd::Storage::bfloat16) continue;  // its pairs are summed in an order of their own
          c.storage = simd::Storage::float32;
          fused_attention(c.problem());
          CHECK(c.output == all);
        }
}

TEST_CASE("decode: what is masked has no effect, bit for bit", "[mask][decode]") {
  const auto run = [](bool spoil, const std::function<void(Case&)>& hide) {
    Case c = decoding(Mask::causal(1500));
    if (spoil) c.spoil_keys(1300);
    hide(c);
    fused_attention(c.problem());
    return c.output;
  };
  const auto by_length = [](Case& c) { c.key_lengths = {keys, 1300}; };
  const auto by_mask = [](Case& c) { c.allow_before(1300); };
  const std::vector<float> clean = run(false, by_length);
  CHECK(std::ranges::all_of(clean, [](float x) { return std::isfinite(x); }));
  CHECK(run(true, by_length) == clean);
  CHECK(run(true, by_mask) == clean);
}

TEST_CASE("decode: one head gives the same bits with any number of threads", "[mask][decode]") {
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 5}) {
    machine::use_threads(threads);
    Case c = decoding(Mask::causal(keys - queries), true);
    fused_attention(c.problem());
    if (first.empty()) first = c.output;
    CHECK(c.output == first);
  }
}
