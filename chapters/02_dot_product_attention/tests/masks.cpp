// The fused rung with masks, biases, shared key heads and matrices that lie elsewhere, against the formula in float64.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "fused_case.hpp"
#include "machine/affinity.hpp"

using namespace attention;
using namespace attention::dot_product;
using attention::dot_product::tests::Case;

TEST_CASE("dot-product: masks, biases and shared key heads agree with the formula", "[mask]") {
  machine::use_threads(2);
  for (const bool biased : {false, true})
    for (const Mask mask : {Mask::full(), Mask::causal(), Mask::causal(20), Mask::sliding_window(17), Mask::sliding_window(40, 20),
                            Mask{5, 9, 0}, Mask{3, 3, 60}, Mask::causal(-30)}) {
      INFO("left " << mask.left << ", right " << mask.right << ", offset " << mask.offset << ", biased " << biased);
      Case c(mask, biased);
      fused_attention(c.problem());
      CHECK(c.error() < 3e-6);
    }
}

TEST_CASE("dot-product: lengths, boolean and additive masks and capped scores agree with the formula", "[mask]") {
  machine::use_threads(2);
  const std::function<void(Case&)> ways[] = {
      [](Case& c) { c.key_lengths = {97, 150}; },
      [](Case& c) { c.key_lengths = {0, 1}; },
      [](Case& c) { c.allow_some(); },
      [](Case& c) { c.add_bias(); },
      [](Case& c) { c.softcap = 2; },
      [](Case& c) { c.softcap = 5, c.biased = true, c.add_bias(); },
      [](Case& c) { c.key_lengths = {60, 149}, c.key_offsets = {60 - c.queries, 149 - c.queries}; },
      [](Case& c) { c.key_lengths = {33, 128}, c.allow_some(), c.add_bias(), c.softcap = 3; },
  };
  for (const Mask mask : {Mask::full(), Mask::causal(), Mask::sliding_window(40, 20)})
    for (std::size_t way = 0; way < std::size(ways); ++way) {
      INFO("left " << mask.left << ", right " << mask.right << ", offset " << mask.offset << ", way " << way);
      Case c(mask);
      ways[way](c);
      if (!c.key_offsets.empty() && c.mask.is_full()) continue;
      fused_attention(c.problem());
      CHECK(c.error() < 3e-6);
    }
}

TEST_CASE("dot-product: a length, a boolean mask and a bias of -inf hide the same keys bit for bit, NaN among them", "[mask]") {
  machine::use_threads(2);
  const auto run = [](const std::function<void(Case&)>& hide) {
    Case c(Mask::causal(30));
    c.spoil_keys(97);
    hide(c);
    fused_attention(c.problem());
    return c.output;
  };
  const std::vector<float> by_length = run([](Case& c) { c.key_lengths = {c.keys, 97}; });
  CHECK(std::ranges::all_of(by_length, [](float x) { return std::isfinite(x); }));
  CHECK(by_length == run([](Case& c) { c.allow_before(97); }));
  // The bias is the same for the whole batch: hidden where both problems hide.
  const auto bias = [](Case& c) {
    c.bias.assign(static_cast<std::size_t>(c.heads * c.queries * c.keys), 0.F);
    for (std::size_t x = 0; x < c.bias.size(); ++x)
      if (x % static_cast<std::size_t>(c.keys) >= 97) c.bias[x] = -std::numeric_limits<float>::infinity();
  };
  CHECK(run(bias) == run([](Case& c) { c.key_lengths = {97, 97}; }));
}

TEST_CASE("dot-product: what is masked has no effect, bit for bit", "[mask]") {
  for (const int threads : {1, 2}) {
    machine::use_threads(threads);
    Case plain(Mask::causal(), false);
    fused_attention(plain.problem());
    // No query sees keys 130 … 149, and only the last ones see key 100.
    Case spoilt(Mask::causal(), false);
    const FusedProblem f = spoilt.problem();
    const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
    for (Index h = 0; h < 2; ++h) {
      const auto place = static_cast<std::size_t>(h);
      const_cast<float*>(f.value.row(0, h, 100))[3] = bad[place];
      const_cast<float*>(f.key.row(0, h, 110))[2] = bad[place];
      const_cast<float*>(f.value.row(1, h, 140))[39] = bad[place];
    }
    fused_attention(f);
    for (Index b = 0; b < 2; ++b)
      for (Index h = 0; h < 6; ++h)
        for (Index i = 0; i < (b == 0 ? 100 : 130); ++i)
          REQUIRE(std::equal(f.output.row(b, h, i), f.output.row(b, h, i) + 40, plain.problem().output.row(b, h, i)));
    CHECK(std::isnan(f.output.row(0, 0, 100)[3]));
  }
}

TEST_CASE("dot-product: the mask's bits do not depend on the threads", "[mask]") {
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 7}) {
    machine::use_threads(threads);
    Case c(Mask::sliding_window(50), true);
    c.key_lengths = {150, 71}, c.allow_some(), c.add_bias(), c.softcap = 4;
    fused_attention(c.problem());
    if (first.empty()) first = c.output;
    CHECK(c.output == first);
  }
}
