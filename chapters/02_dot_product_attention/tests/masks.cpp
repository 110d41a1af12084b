// The fused rung with masks, biases, shared key heads and matrices that lie elsewhere, against the formula in float64.
#include <algorithm>
#include <cmath>
#include <limits>
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
  std::vector<float> query, key, value, output, lse, slopes;

  Case(Mask m, bool bias) : mask(m), biased(bias) {
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
    if (biased) f.slopes = slopes.data();
    return f;
  }

  /// Largest difference from the formula in float64; infinite where a row without keys is not 0.
  double error() {
    const FusedProblem f = problem();
    double largest = 0;
    for (Index b = 0; b < batch; ++b)
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < queries; ++i) {
          const KeyRange seen = mask.keys_of(i, keys);
          const Index kh = h / (heads / key_heads);
          std::vector<double> scores;
          for (Index j = seen.first; j < seen.last; ++j) {
            double s = 0;
            for (Index c = 0; c < dim; ++c)
              s += static_cast<double>(f.query.row(b, h, i)[c]) * static_cast<double>(f.key.row(b, kh, j)[c]);
            s *= static_cast<double>(f.scale);
            if (biased)
              s -= static_cast<double>(slopes[static_cast<std::size_t>(h)]) * static_cast<double>(std::abs(j - i - mask.offset));
            scores.push_back(s);
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
              o += std::exp(scores[j] - m) / l * static_cast<double>(f.value.row(b, kh, seen.first + static_cast<Index>(j))[c]);
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
    fused_attention(c.problem());
    if (first.empty()) first = c.output;
    CHECK(c.output == first);
  }
}
