#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "fused_attention.hpp"
#include "numerics/random.hpp"

namespace attention::dot_product::tests {

inline constexpr double infinite = std::numeric_limits<double>::infinity();

/// A problem for fused_attention, [batch, n, heads, dim] (the rows of a head are heads · dim apart), and the formula to hold
/// its answer against.
struct Case {
  Index batch = 2, heads = 6, key_heads = 2, queries, keys, dim, value_dim;
  Mask mask;
  bool biased = false;
  float softcap = 0;
  std::vector<Index> key_lengths, key_offsets;  ///< one a problem of the batch, or none
  std::unique_ptr<bool[]> allowed;              ///< [batch, queries, keys]: the same for all heads
  std::vector<float> bias;                      ///< [heads, queries, keys]: the same for the whole batch
  std::vector<float> query, key, value, output, lse, slopes;
  simd::Storage storage = simd::Storage::float32;
  std::vector<std::uint16_t> key16, value16;

  explicit Case(Mask m, bool with_slopes = false, Index rows = 130, Index all_keys = 150, Index width = 24, Index value_width = 40)
      : queries(rows), keys(all_keys), dim(width), value_dim(value_width), mask(m), biased(with_slopes) {
    fill();
  }

  /// Draws everything anew, after a size has changed.
  void fill() {
    numerics::Random random(5);
    const auto draw = [&](std::vector<float>& v, Index n) {
      v.resize(static_cast<std::size_t>(n));
      for (float& x : v) x = static_cast<float>(random.normal());
    };
    draw(query, batch * queries * heads * dim);
    draw(key, batch * keys * key_heads * dim);
    draw(value, batch * keys * key_heads * value_dim);
    output.assign(static_cast<std::size_t>(batch * queries * heads * value_dim), 7);
    lse.assign(static_cast<std::size_t>(batch * heads * queries), 7);
    slopes.clear();
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
    f.storage = storage;
    f.key16 = {key16.data(), f.key.batch_stride, f.key.head_stride, f.key.row_stride};
    f.value16 = {value16.data(), f.value.batch_stride, f.value.head_stride, f.value.row_stride};
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

  /// K and V in 16 bits; what the formula reads becomes what these hold.
  void store_as(simd::Storage kind) {
    storage = kind;
    const auto store = [&](std::vector<float>& from, std::vector<std::uint16_t>& to) {
      for (float& x : from) {
        to.push_back(simd::to_bits(kind, x));
        x = simd::widen(kind, to.back());
      }
    };
    store(key, key16);
    store(value, value16);
  }

  /// NaN in K and infinity in V, in keys `from` and later of the second problem of the batch.
  void spoil_keys(Index from) {
    const FusedProblem f = problem();
    for (Index h = 0; h < key_heads; ++h)
      for (Index j = from; j < keys; ++j) {
        const_cast<float*>(f.key.row(1, h, j))[j % dim] = std::numeric_limits<float>::quiet_NaN();
        const_cast<float*>(f.value.row(1, h, j))[j % value_dim] = std::numeric_limits<float>::infinity();
      }
  }

  /// The first problem of the batch sees all keys, the second those before `last`.
  void allow_before(Index last) {
    allowed = std::make_unique<bool[]>(static_cast<std::size_t>(batch * queries * keys));
    for (Index x = 0; x < batch * queries * keys; ++x) allowed[static_cast<std::size_t>(x)] = x < queries * keys || x % keys < last;
  }

  /// A part of the keys, at random, and in row 3 none.
  void allow_some() {
    numerics::Random random(11);
    allowed = std::make_unique<bool[]>(static_cast<std::size_t>(batch * queries * keys));
    for (Index x = 0; x < batch * queries * keys; ++x) allowed[static_cast<std::size_t>(x)] = x / keys % queries != (queries > 3 ? 3 : 1) && random.uniform() < 0.3;
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

}  // namespace attention::dot_product::tests
