// The fused rung with masks, biases, shared key heads and matrices that lie elsewhere, against the formula in float64.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "fused_attention.hpp"
#include "machine/affinity.hpp"
#include "numerics/random.hpp"

using namespace attention;
using namespace attention::dot_product;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// [batch, n, heads, dim]: the rows of a head are heads · dim apart.
struct Case {
  Index batch = 2, heads = 6, key_heads = 2, queries = 130, keys = 150, dim = 24, value_dim = 40;
  Mask mask;
  bool biased = false;
  float softcap = 0;
  std::vector<Index> key_lengths, key_offsets;  ///< one a problem of the batch, or none
  std::unique_ptr<bool[]> allowed;              ///< [batch, queries, keys]: the same for all heads
  std::vector<float> bias;                      ///< [heads, queries, keys]: the same for the whole batch
  std::vector<float> query, key, value, output, lse, slopes;

  explicit Case(Mask m, bool with_slopes = false) : mask(m), biased(with_slopes) {
    numerics::Random random(5);
    const auto fill = [&](std::vector<float>& v, Index n) {
      v.resize(static_cast<std::size_t>(n));
      for (float& x : v) x = static_cast<float>(random.normal());
    };
    fill(query, batch * queries * heads * dim);
    fill(key, batch * keys * key_heads * dim);
    fill(value, batch * keys * key_heads * value_dim);
    output.assign(static_cast<std::size_t>(batch * queries * heads * value_dim), 7);
    lse.assign(static_cast<std::size_t>(batch * heads * queries), 7);
    for (Index h = 0; h < heads; ++h) slopes.push_back(std::exp2(-static_cast<float>(h + 1)));
  }

  FusedProblem problem() {
    FusedProblem f;
    f.batch = batch, f.heads = heads, f.key_heads = key_heads, f.queries = queries, f.keys = keys, f.dim = dim;
    f.value_dim = value_dim;
    f.query = {query.data(), queries * heads * dim, dim, heads * dim};
    f.key = {key.data(), keys * key_heads * dim, dim, key_heads * dim};
    f.value = {value.data(), keys * key_heads * value_dim, value_dim, key_heads * value_dim};
    f.output = {output.data(), queries * heads * value_dim, value_dim, heads * value_dim};
    f.lse = lse.data();
    f.scale = 0.3F;
    f.mask = mask;
    f.softcap = softcap;
    if (!key_lengths.empty()) f.key_lengths = key_lengths.data();
    if (!key_offsets.empty()) f.key_offsets = key_offsets.data();
    if (allowed) f.allowed = {allowed.get(), queries * keys, 0, keys};
    if (!bias.empty()) f.bias = {bias.data(), 0, queries * keys, keys};
    if (biased) f.slopes = slopes.data();
    return f;
  }

  /// A part of the keys, at random, and in row 3 none.
  void allow_some() {
    numerics::Random random(11);
    allowed = std::make_unique<bool[]>(static_cast<std::size_t>(batch * queries * keys));
    for (Index x = 0; x < batch * queries * keys; ++x) allowed[static_cast<std::size_t>(x)] = x / keys % queries != 3 && random.uniform() < 0.3;
  }

  /// Normal numbers, and −inf for every third key of every fifth row and for all of row 4.
  void add_bias() {
    numerics::Random random(12);
    for (Index x = 0; x < heads * queries * keys; ++x) {
      const Index row = x / keys % queries;
      const bool hidden = row == 4 || (row % 5 == 0 && x % keys % 3 == 0);
      bias.push_back(hidden ? -std::numeric_limits<float>::infinity() : random.normal());
    }
  }

  /// Whether a query sees a key, by the words of fused_attention.hpp.
  bool sees(Index b, Index h, Index i, Index j) const {
    Mask here = mask;
    if (!key_offsets.empty()) here.offset = key_offsets[static_cast<std::size_t>(b)];
    const KeyRange range = here.keys_of(i, keys);
    if (j < range.first || j >= range.last) return false;
    if (!key_lengths.empty() && j >= key_lengths[static_cast<std::size_t>(b)]) return false;
    if (allowed && !allowed[static_cast<std::size_t>((b * queries + i) * keys + j)]) return false;
    return bias.empty() || std::isfinite(bias[static_cast<std::size_t>((h * queries + i) * keys + j)]);
  }

  /// Largest difference from the formula in float64; infinite where a row without keys is not 0.
  double error() {
    const FusedProblem f = problem();
    double largest = 0;
    for (Index b = 0; b < batch; ++b)
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < queries; ++i) {
          const Index kh = h / (heads / key_heads);
          std::vector<double> scores;
          std::vector<Index> seen;
          for (Index j = 0; j < keys; ++j) {
            if (!sees(b, h, i, j)) continue;
            double s = 0;
            for (Index c = 0; c < dim; ++c)
              s += static_cast<double>(f.query.row(b, h, i)[c]) * static_cast<double>(f.key.row(b, kh, j)[c]);
            s *= static_cast<double>(f.scale);
            if (softcap > 0) s = static_cast<double>(softcap) * std::tanh(s / static_cast<double>(softcap));
            if (biased)
              s -= static_cast<double>(slopes[static_cast<std::size_t>(h)]) * static_cast<double>(std::abs(j - i - mask.offset));
            if (!bias.empty()) s += static_cast<double>(bias[static_cast<std::size_t>((h * queries + i) * keys + j)]);
            scores.push_back(s);
            seen.push_back(j);
          }
          const double m = scores.empty() ? 0 : *std::max_element(scores.begin(), scores.end());
          double l = 0;
          for (const double s : scores) l += std::exp(s - m);
          const double lse_here = scores.empty() ? -infinite : m + std::log(l);
          const double found = static_cast<double>(lse[static_cast<std::size_t>((b * heads + h) * queries + i)]);
          if (found != lse_here) largest = std::max(largest, std::abs(found - lse_here));
          for (Index c = 0; c < value_dim; ++c) {
            double o = 0;
            for (std::size_t j = 0; j < scores.size(); ++j)
              o += std::exp(scores[j] - m) / l * static_cast<double>(f.value.row(b, kh, seen[j])[c]);
            const double difference = std::abs(o - static_cast<double>(f.output.row(b, h, i)[c]));
            largest = difference <= largest ? largest : difference;
          }
        }
    return largest;
  }
};

}  // namespace

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
    const FusedProblem f = c.problem();
    for (Index h = 0; h < c.key_heads; ++h)
      for (Index j = 97; j < c.keys; ++j) {
        const_cast<float*>(f.key.row(1, h, j))[j % c.dim] = std::numeric_limits<float>::quiet_NaN();
        const_cast<float*>(f.value.row(1, h, j))[j % c.value_dim] = std::numeric_limits<float>::infinity();
      }
    hide(c);
    fused_attention(c.problem());
    return c.output;
  };
  const std::vector<float> by_length = run([](Case& c) { c.key_lengths = {c.keys, 97}; });
  CHECK(std::ranges::all_of(by_length, [](float x) { return std::isfinite(x); }));
  CHECK(by_length == run([](Case& c) {
          c.allowed = std::make_unique<bool[]>(static_cast<std::size_t>(c.batch * c.queries * c.keys));
          for (Index x = 0; x < c.batch * c.queries * c.keys; ++x)
            c.allowed[static_cast<std::size_t>(x)] = x < c.queries * c.keys || x % c.keys < 97;
        }));
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
