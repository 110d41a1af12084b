#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "multi_head.hpp"

namespace attention::multi_head {

/// The key head that head h uses.
inline Index key_head(const Problem& p, Index h) { return h / (p.heads() / p.key_heads()); }

/// Room for every head's Q, K and V of the rows asked, as chapter 2 takes them: [batch, heads, queries, dim], a shared key head
/// once for each of its heads.
inline dot_product::Problem room_for_heads(const Problem& p) {
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  dot_product::Problem heads;
  for (Tensor<4>* t : {&heads.query, &heads.key, &heads.value})
    *t = tensor::empty<4>({size(p.batch()), size(p.heads()), size(p.queries()), size(p.dim())});
  heads.scale = 1 / std::sqrt(static_cast<float>(p.dim()));
  heads.mask = p.mask();
  heads.positions = p.rows;
  return heads;
}

/// In a sample, the keys and values of all rows take the place of those that were projected.
inline void take_all_keys(const Problem& p, dot_product::Problem& heads) {
  if (!p.sampled()) return;
  const Index matrix = p.n() * p.dim();
  for (const auto& [from, to] : {std::pair(&p.key, &heads.key), std::pair(&p.value, &heads.value)}) {
    *to = tensor::empty<4>({from->shape()[0], static_cast<std::size_t>(p.heads()), from->shape()[2], from->shape()[3]});
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        std::copy_n(from->data() + (b * p.key_heads() + key_head(p, h)) * matrix, matrix, to->data() + (b * p.heads() + h) * matrix);
  }
}

/// Chapter 2's attention of all heads, by the rung of that name.
inline dot_product::Output attend(std::string_view rung, const dot_product::Problem& heads) {
  const auto& ladder = dot_product::mechanism().ladder;
  dot_product::Output out;
  std::ranges::find(ladder, rung, [](const auto& r) { return r.name; })->run(heads, out);
  return out;
}

/// What attend and the heads take: Q, K, V, the heads' outputs, their concatenation, and chapter 2's weights.
inline std::size_t heads_workspace(const Problem& p, bool weights) {
  const Index rows = p.batch() * p.heads();
  return static_cast<std::size_t>(rows * (3 * p.queries() * p.dim() + 2 * p.n() * p.dim() + p.queries() +
                                          (weights ? p.queries() * p.n() : 0))) * sizeof(float);
}

}  // namespace attention::multi_head
