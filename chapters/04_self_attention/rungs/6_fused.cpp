// Rung 6, fused: one pass over the visible keys, the softmax corrected as it goes; no weights are stored.
//
// What changed: after the projections, chapter 2's fused kernel does the rest. It takes the matrices where they lie ([batch, n,
// heads, dim], the rows of a head heads · dim apart), the mask as a range of keys for each query, and ALiBi's slopes, and it
// skips blocks of keys that a block of queries does not see. What is left in memory grows with n: Q, K and V.
#include <algorithm>

#include "fused_attention.hpp"
#include "rungs/projection.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

/// The whole problem, or in a sample one run of neighbours.
dot_product::FusedProblem fused_problem(const Problem& p, const Projected& x, const Slopes& slopes, QueryBlock block) {
  const Index row = p.heads() * p.dim();
  dot_product::FusedProblem f;
  f.batch = p.batch();
  f.heads = f.key_heads = p.heads();
  f.queries = block.count;
  f.keys = p.n();
  f.dim = f.value_dim = p.dim();
  f.query = {x.query.data() + block.first * row, p.queries() * row, p.dim(), row};
  f.key = {x.key, p.n() * row, p.dim(), row};
  f.value = {x.value, p.n() * row, p.dim(), row};
  f.scale = static_cast<float>(p.scale());
  f.mask = p.mask;
  f.mask.offset += p.sampled() ? p.position(block.first) : 0;
  f.slopes = slopes.data();
  return f;
}

}  // namespace

void fused(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Projected x = project(p, blocked_product, true);
  const Slopes slopes(p);
  const Index row = p.heads() * p.dim();
  if (!p.sampled()) {
    dot_product::FusedProblem f = fused_problem(p, x, slopes, {0, p.queries()});
    f.output = {out.output.data(), p.queries() * row, p.dim(), row};
    f.lse = out.lse.data();
    return dot_product::fused_attention(f);
  }
  for (const QueryBlock& block : query_blocks(p, p.queries())) {
    dot_product::FusedProblem f = fused_problem(p, x, slopes, block);
    f.output = {out.output.data() + block.first * row, p.queries() * row, p.dim(), row};
    tensor::Buffer lse(static_cast<std::size_t>(p.batch() * p.heads() * block.count));
    f.lse = lse.data();
    dot_product::fused_attention(f);
    for (Index head = 0; head < p.batch() * p.heads(); ++head)
      std::copy_n(lse.data() + head * block.count, block.count, out.lse.data() + head * p.queries() + block.first);
  }
}

std::size_t fused_workspace(const Problem& p) {
  const Projected nothing;
  return projection_workspace(p) + blocked_product_workspace(p.width(), p.heads() * p.dim()) +
         dot_product::fused_attention_workspace(fused_problem(p, nothing, Slopes(p), {0, p.queries()}));
}

}  // namespace attention::self_attention
