#pragma once

#include <cmath>

#include "fused_attention.hpp"
#include "rungs/projections.hpp"

namespace attention::multi_head {

/// Chapter 2's fused attention for all heads, everything but the pointers to the rows.
inline dot_product::FusedProblem fused_sizes(const Problem& p) {
  dot_product::FusedProblem f;
  f.batch = p.batch();
  f.heads = p.heads();
  f.key_heads = p.key_heads();
  f.queries = p.queries();
  f.keys = p.n();
  f.dim = f.value_dim = p.dim();
  f.scale = 1 / std::sqrt(static_cast<float>(p.dim()));
  f.mask = p.mask();
  if (p.sampled()) f.positions = p.rows.data();
  return f;
}

/// The same over the columns of `qkv`: a head's output takes the place of its queries. In a sample, the keys and values of all
/// rows are there already.
inline dot_product::FusedProblem heads_in_columns(const Problem& p, Projections& qkv) {
  dot_product::FusedProblem f = fused_sizes(p);
  const Index stride = qkv.columns;
  const Index batch = p.queries() * stride;
  float* queries = qkv.all.data();
  f.query = {queries, batch, p.dim(), stride};
  f.key = {queries + qkv.key_column, batch, p.dim(), stride};
  f.value = {queries + qkv.value_column, batch, p.dim(), stride};
  f.output = {queries, batch, p.dim(), stride};
  if (p.sampled()) {
    f.key = {p.key.data(), p.key_heads() * p.n() * p.dim(), p.n() * p.dim(), p.dim()};
    f.value = {p.value.data(), p.key_heads() * p.n() * p.dim(), p.n() * p.dim(), p.dim()};
  }
  return f;
}

}  // namespace attention::multi_head
