#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "fused_attention.hpp"
#include "rungs/interleaved.hpp"
#include "rungs/online_softmax.hpp"
#include "simd/tanh.hpp"

namespace attention::dot_product {

/// scores[j] += slope · −|key − query| over keys begin … begin + count, in powers of two.
inline void add_distance_bias(float* scores, Index begin, Index count, Index query, float slope) {
#pragma omp simd
  for (Index j = 0; j < count; ++j)
    scores[j] -= slope * std::abs(static_cast<float>(static_cast<int>(begin + j - query)));
}

/// scores = cap · tanh(scores / cap): they stay within ±cap (Gemma Team 2024, section 2). `count` is a whole number of vectors.
inline void cap_scores(float* scores, Index count, float cap) {
  for (Index j = 0; j < count; j += simd::lanes)
    simd::store(scores + j, simd::broadcast(cap) * simd::tanh(simd::load(scores + j) * simd::broadcast(1 / cap)));
}

/// scores += log2(e) · bias.
inline void add_bias(float* scores, const float* bias, Index count) {
#pragma omp simd
  for (Index j = 0; j < count; ++j) scores[j] += bias[j] * std::numbers::log2e_v<float>;
}

/// What the queries of one head see, and what is added to their scores: the one place that knows all of a problem's masks.
class VisibleKeys {
 public:
  VisibleKeys(const FusedProblem& p, Index b, Index h)
      : p_(p), b_(b), h_(h), keys_(p.key_lengths ? std::clamp<Index>(p.key_lengths[b], 0, p.keys) : p.keys), mask_(p.mask) {
    if (p.key_offsets) mask_.offset = p.key_offsets[b];
  }

  /// Keys of this problem of the batch.
  Index keys() const { return keys_; }
  /// Whether some query may see fewer than keys().
  bool masks() const { return !mask_.is_full() || p_.allowed.data || p_.bias.data; }
  /// The keys that query i may see, but for those that `allowed` and `bias` hide.
  KeyRange of(Index i) const { return mask_.keys_of(position(i), keys_); }

  /// Whether `allowed` and `bias` let query i see key j.
  bool lets_see(Index i, Index j) const {
    if (p_.allowed.data && !p_.allowed.row(b_, h_, i)[j]) return false;
    return !p_.bias.data || p_.bias.row(b_, h_, i)[j] != -infinity;
  }
  /// Whether query i sees key j.
  bool sees(Index i, Index j) const {
    const KeyRange range = of(i);
    return j >= range.first && j < range.last && lets_see(i, j);
  }

  /// Whether query i certainly sees all keys begin … begin + count.
  bool sees_all(Index i, Index begin, Index count) const {
    const KeyRange range = of(i);
    return range.first <= begin && begin + count <= range.last && !p_.allowed.data && !p_.bias.data;
  }

  /// Whether nothing is added to the scores of queries first … first + rows with these keys, and nothing is masked.
  bool are_plain(Index first, Index rows, Index begin, Index count) const {
    return p_.softcap <= 0 && !p_.slopes && sees_all(first, begin, count) && sees_all(first + rows - 1, begin, count);
  }

  /// Scores of queries first … first + rows with keys begin … begin + count, in powers of two, a query a lane: scores[j · width + y]
  /// is capped, biased, and −inf where the key is masked. Marks in `seen` the queries to which a key is left.
  void bias_and_mask(float* scores, Index width, Index first, Index rows, Index begin, Index count, char* seen) const {
    if (are_plain(first, rows, begin, count)) return std::fill_n(seen, rows, char{true}), void();
    constexpr auto log2e = std::numbers::log2e_v<float>;
    if (p_.softcap > 0) cap_scores(scores, count * width, p_.softcap * log2e);
    std::array<int, band_queries> low, high, distance;  // of each query, from key `begin`
    for (Index y = 0; y < rows; ++y) {
      const auto lane = static_cast<std::size_t>(y);
      const KeyRange range = within(of(first + y), begin, count);
      low[lane] = static_cast<int>(range.first);
      high[lane] = static_cast<int>(range.last);
      distance[lane] = static_cast<int>(position(first + y) + mask_.offset - begin);
      if (!p_.allowed.data && !p_.bias.data) seen[y] |= !range.empty();
    }
    const float slope = p_.slopes ? p_.slopes[h_] * log2e : 0;
    for (Index j = 0; j < count; ++j) {
      float* row = scores + j * width;
      const int key = static_cast<int>(j);
      if (p_.slopes)
#pragma omp simd
        for (Index y = 0; y < rows; ++y) row[y] -= slope * std::abs(static_cast<float>(key - distance[static_cast<std::size_t>(y)]));
#pragma omp simd
      for (Index y = 0; y < rows; ++y)
        row[y] = key >= low[static_cast<std::size_t>(y)] && key < high[static_cast<std::size_t>(y)] ? row[y] : -infinity;
    }
    if (!p_.allowed.data && !p_.bias.data) return;
    for (Index y = 0; y < rows; ++y)
      for (Index j = low[static_cast<std::size_t>(y)]; j < high[static_cast<std::size_t>(y)]; ++j) {
        float& score = scores[j * width + y];
        if (lets_see(first + y, begin + j)) {
          seen[y] = true;
          if (p_.bias.data) score += p_.bias.row(b_, h_, first + y)[begin + j] * log2e;
        } else {
          score = -infinity;
        }
      }
  }

  /// Scores of query i with keys begin … begin + count, in powers of two: capped, biased, and −inf where the key is masked or
  /// does not exist (up to `padded`). Whether a key is left.
  bool bias_and_mask(float* scores, Index i, Index begin, Index count, Index padded) const {
    constexpr auto log2e = std::numbers::log2e_v<float>;
    const KeyRange seen = within(of(i), begin, count);
    if (p_.softcap > 0) cap_scores(scores, padded, p_.softcap * log2e);
    if (p_.slopes) add_distance_bias(scores, begin, count, position(i) + mask_.offset, p_.slopes[h_] * log2e);
    if (p_.bias.data) add_bias(scores, p_.bias.row(b_, h_, i) + begin, count);
    std::fill(scores, scores + seen.first, -infinity);
    std::fill(scores + seen.last, scores + padded, -infinity);
    if (!p_.allowed.data && !p_.bias.data) return !seen.empty();
    bool left = false;
    for (Index x = seen.first; x < seen.last; ++x)
      if (lets_see(i, begin + x))
        left = true;
      else
        scores[x] = -infinity;
    return left;
  }

 private:
  Index position(Index i) const { return p_.positions ? p_.positions[i] : i; }

  const FusedProblem& p_;
  Index b_, h_;
  Index keys_;
  Mask mask_;  ///< with the problem's own offset
};

/// Q · scale · log2(e): from here on exponentials are powers of two. The factor is held in two floats, since the rounding of one
/// would shift all scores together.
inline void scale_query(const FusedProblem& p, const float* query, float* to) {
  const double factor = static_cast<double>(p.scale) * std::numbers::log2e;
  const auto most = static_cast<float>(factor);
  const auto rest = static_cast<float>(factor - static_cast<double>(most));
#pragma omp simd
  for (Index c = 0; c < p.dim; ++c) to[c] = query[c] * most + query[c] * rest;
}

/// output = sum / l_i, and the log-sum-exp; a row that has seen no key becomes 0, its log-sum-exp −inf.
inline void write_row(const FusedProblem& p, Index b, Index h, Index i, const float* sum, float m_i, float l_i, bool seen) {
  float* to = p.output.row(b, h, i);
  for (Index c = 0; c < p.value_dim; ++c) to[c] = seen ? sum[c] / l_i : 0;
  if (p.lse) p.lse[(b * p.heads + h) * p.queries + i] = seen ? m_i * simd::ln_2 + std::log(l_i) : -infinity;
}

}  // namespace attention::dot_product
