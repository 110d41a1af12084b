// Rung 6, fused: no weights are stored, and no head is taken apart or put together.
//
// What changed: chapter 2's fused kernel is told where the rows lie. A head's Q, K and V are columns of the one product, and
// its output goes into its columns of the concatenation, so both copies fall away. Shared key heads are read where they are
// instead of being repeated.
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
  const Projections qkv = project(p);
  const Index concat = p.heads() * p.dim();
  tensor::Buffer heads(static_cast<std::size_t>(p.batch() * p.queries() * concat));

  dot_product::FusedProblem f = sizes(p);
  f.query = {qkv.query(), p.queries() * qkv.query_stride(p), p.dim(), qkv.query_stride(p)};
  f.key = {qkv.all.data() + qkv.key_column, p.n() * qkv.columns, p.dim(), qkv.columns};
  f.value = {qkv.all.data() + qkv.value_column, p.n() * qkv.columns, p.dim(), qkv.columns};
  f.output = {heads.data(), p.queries() * concat, p.dim(), concat};
  dot_product::fused_attention(f);
  project_output(p, heads.data(), out);
}

std::size_t fused_workspace(const Problem& p) {
  return projections_workspace(p) + dot_product::fused_attention_workspace(sizes(p));
}

}  // namespace attention::multi_head
