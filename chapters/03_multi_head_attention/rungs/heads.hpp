#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "multi_head.hpp"

namespace attention::multi_head {

/// Room for every head's Q, K and V as chapter 2 takes them: [batch, heads, n, dim], a shared key head once for each of its
/// heads.
inline dot_product::Problem room_for_heads(const Problem& p) {
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  dot_product::Problem heads;
  heads.query = tensor::empty<4>({size(p.batch()), size(p.heads()), size(p.queries()), size(p.dim())});
  heads.key = tensor::empty<4>({size(p.batch()), size(p.heads()), size(p.n()), size(p.dim())});
  heads.value = tensor::empty<4>({size(p.batch()), size(p.heads()), size(p.n()), size(p.dim())});
  heads.scale = 1 / std::sqrt(static_cast<float>(p.dim()));
  return heads;
}

/// The key head that head h uses.
inline Index key_head(const Problem& p, Index h) { return h / (p.heads() / p.key_heads()); }

/// Chapter 2's attention of all heads, by the rung of that name.
inline dot_product::Output attend(std::string_view rung, const dot_product::Problem& heads) {
  const auto& ladder = dot_product::mechanism().ladder;
  dot_product::Output out;
  std::ranges::find(ladder, rung, [](const auto& r) -> const std::string& { return r.name; })->run(heads, out);
  return out;
}

/// What attend and the heads take: Q, K, V, the heads' outputs, and chapter 2's weights.
inline std::size_t heads_workspace(const Problem& p, bool weights) {
  const Index rows = p.batch() * p.heads();
  return static_cast<std::size_t>(rows * (2 * p.queries() * p.dim() + 2 * p.n() * p.dim() + p.queries() +
                                          (weights ? p.queries() * p.n() : 0))) * sizeof(float);
}

}  // namespace attention::multi_head
