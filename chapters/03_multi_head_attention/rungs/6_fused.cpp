// Rung 6, fused: no weights are stored, and no head is taken apart or put together.
//
// What changed: chapter 2's fused kernel is told where the rows lie. A head's Q, K and V are columns of the one product, so
// the copy of every head falls away. A block of queries is read once and then no more: its output takes its place, and Q's
// columns become the concatenation. Shared key heads are read where they are instead of being repeated.
#include <cmath>

#include "fused_attention.hpp"
#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"

namespace attention::multi_head {

namespace {

/// Everything but the pointers to the rows.
dot_product::FusedProblem sizes(const Problem& p) {
  dot_product::FusedProblem f;
  f.batch = p.batch();
  f.heads = p.heads();
  f.key_heads = p.key_heads();
  f.queries = p.queries();
  f.keys = p.n();
  f.dim = f.value_dim = p.dim();
  f.scale = 1 / std::sqrt(static_cast<float>(p.dim()));
  return f;
}

}  // namespace

void fused(const Problem& p, Output& out) {
  prepare(p, out);
  Projections qkv = project(p);
  float* queries = qkv.all.data();
  const Index stride = qkv.columns;

  dot_product::FusedProblem f = sizes(p);
  f.query = {queries, p.queries() * stride, p.dim(), stride};
  f.key = {queries + qkv.key_column, p.queries() * stride, p.dim(), stride};
  f.value = {queries + qkv.value_column, p.queries() * stride, p.dim(), stride};
  f.output = {queries, p.queries() * stride, p.dim(), stride};
  if (p.sampled()) {
    f.key = {p.key.data(), p.key_heads() * p.n() * p.dim(), p.n() * p.dim(), p.dim()};
    f.value = {p.value.data(), p.key_heads() * p.n() * p.dim(), p.n() * p.dim(), p.dim()};
  }
  dot_product::fused_attention(f);
  project_output(p, queries, stride, out);
}

std::size_t fused_workspace(const Problem& p) {
  return projections_workspace(p) + dot_product::fused_attention_workspace(sizes(p));
}

}  // namespace attention::multi_head
