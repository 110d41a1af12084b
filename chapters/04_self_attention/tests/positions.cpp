// The four ways to say where a token stands.
#include "positions.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "helpers.hpp"

using namespace attention;
using namespace attention::self_attention;
using namespace attention::self_attention::tests;

TEST_CASE("positions: the sinusoidal encoding is the paper's", "[positions]") {
  std::vector<double> code(6);
  sinusoidal_encoding(0, 6, code.data());
  CHECK(code == std::vector<double>{0, 1, 0, 1, 0, 1});
  sinusoidal_encoding(3, 6, code.data());
  CHECK(std::abs(code[0] - std::sin(3.0)) < 1e-12);
  CHECK(std::abs(code[1] - std::cos(3.0)) < 1e-12);
  CHECK(std::abs(code[4] - std::sin(3 / std::pow(10000.0, 4.0 / 6))) < 1e-12);
  CHECK(std::abs(code[5] - std::cos(3 / std::pow(10000.0, 4.0 / 6))) < 1e-12);
}

TEST_CASE("positions: the paper's ALiBi slopes for 8 and 16 heads, the authors' for others", "[positions]") {
  CHECK(linear_bias_slopes(8) == std::vector<float>{0x1p-1F, 0x1p-2F, 0x1p-3F, 0x1p-4F, 0x1p-5F, 0x1p-6F, 0x1p-7F, 0x1p-8F});
  CHECK(linear_bias_slopes(1) == std::vector<float>{0x1p-8F});
  CHECK(linear_bias_slopes(4) == std::vector<float>{0x1p-2F, 0x1p-4F, 0x1p-6F, 0x1p-8F});
  const std::vector<float> sixteen = linear_bias_slopes(16);
  CHECK(std::abs(sixteen[0] - std::exp2(-0.5F)) < 1e-7F);
  CHECK(sixteen[1] == 0.5F);
  CHECK(sixteen[15] == 0x1p-8F);
  // 12 heads: the eight of 8, and the first, third, fifth and seventh of 16.
  std::vector<float> twelve = linear_bias_slopes(8);
  for (const std::size_t i : {0UL, 2UL, 4UL, 6UL}) twelve.push_back(sixteen[i]);
  CHECK(linear_bias_slopes(12) == twelve);
}

TEST_CASE("positions: a rotation keeps lengths, and scores depend on the distance alone", "[positions]") {
  constexpr Index dim = 10;
  std::vector<double> q(dim), k(dim);
  for (std::size_t c = 0; c < dim; ++c) q[c] = std::sin(1.0 + static_cast<double>(c)), k[c] = std::cos(2.0 * static_cast<double>(c));
  const auto turned = [](std::vector<double> v, Index position) {
    std::vector<double> cosine, sine;
    for (Index i = 0; i < dim / 2; ++i) {
      cosine.push_back(std::cos(rotary_angle(position, i, dim)));
      sine.push_back(std::sin(rotary_angle(position, i, dim)));
    }
    rotate(v.data(), dim, cosine.data(), sine.data());
    return v;
  };
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); };
  CHECK(std::abs(dot(turned(q, 17), turned(q, 17)) - dot(q, q)) < 1e-12);
  CHECK(std::abs(dot(turned(q, 0), turned(k, 0)) - dot(q, k)) < 1e-12);
  for (const Index distance : {1, 7, 100})
    for (const Index shift : {1, 50, 4000})
      CHECK(std::abs(dot(turned(q, distance + shift), turned(k, shift)) - dot(turned(q, distance), turned(k, 0))) < 1e-10);
  // Equation 34, written out for the second pair.
  const double angle = 5 / std::pow(10000.0, 2.0 / dim);
  CHECK(std::abs(turned(q, 5)[2] - (q[2] * std::cos(angle) - q[3] * std::sin(angle))) < 1e-12);
  CHECK(std::abs(turned(q, 5)[3] - (q[3] * std::cos(angle) + q[2] * std::sin(angle))) < 1e-12);
}

TEST_CASE("self-attention: relative positions do not see a shift, those added to the input do", "[positions]") {
  // The same 90 tokens at 0 … 89 and at 35 … 124: from the 16th on, a window of 16 holds the same tokens in both.
  for (const Positions positions : all_positions) {
    INFO(positions_name(positions));
    Problem early = sample(Kind::window, "n=90,heads=2,dim=24,width=18,window=16", positions);
    Problem late = sample(Kind::window, "n=125,heads=2,dim=24,width=18,window=16", positions);
    if (positions == Positions::learned)
      std::copy_n(early.position_table.data(), early.position_table.size(), late.position_table.data());
    late.query_weight = early.query_weight;
    late.key_weight = early.key_weight;
    late.value_weight = early.value_weight;
    std::copy_n(early.input.data(), early.input.size(), late.input.data() + 35 * 18);
    for_every_rung([&](const auto& rung) {
      Output a;
      Output b;
      rung.run(early, a);
      rung.run(late, b);
      float largest = 0;
      for (Index i = 15; i < 90; ++i)
        for (Index c = 0; c < 48; ++c) largest = std::max(largest, std::abs(a.output_of(0, 0, i)[c] - b.output_of(0, 0, i + 35)[c]));
      if (adds_encoding(early))
        CHECK(largest > 1e-2F);
      else
        CHECK(largest < 1e-5F);
    });
  }
}

TEST_CASE("self-attention: permuted tokens give permuted outputs, unless positions are told", "[positions]") {
  for (const Positions positions : all_positions) {
    INFO(positions_name(positions));
    const Problem p = sample(Kind::full, "n=97,heads=2,dim=20,width=30", positions);
    Problem permuted = p;
    const auto from = [](Index i) { return (i * 31 + 4) % 97; };
    for (Index i = 0; i < 97; ++i) std::copy_n(p.input.data() + from(i) * 30, 30, permuted.input.data() + i * 30);
    for_every_rung([&](const auto& rung) {
      Output a;
      Output b;
      rung.run(p, a);
      rung.run(permuted, b);
      float largest = 0;
      for (Index i = 0; i < 97; ++i)
        for (Index c = 0; c < 40; ++c) largest = std::max(largest, std::abs(a.output_of(0, 0, from(i))[c] - b.output_of(0, 0, i)[c]));
      if (positions == Positions::none)
        CHECK(largest < 5e-6F);
      else
        CHECK(largest > 1e-2F);
    });
  }
}

TEST_CASE("self-attention: a linear bias is a factor exp(−slope · distance) on the weights", "[positions]") {
  Problem p = sample(Kind::causal, "n=40,heads=8,dim=8,width=8", Positions::linear_biases);
  p.query_weight.fill(0);
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    if (out.weights.shape()[0] == 0) return;
    for (Index h = 0; h < 8; ++h) {
      const float* row = out.weights_of(0, h, 39);
      CHECK(std::abs(row[20] / row[21] - std::exp(-std::exp2(-static_cast<float>(h + 1)))) < 1e-5F);
    }
  });
}
