// Rung 3, hoisted: W q once for each query and U k once for each key, not once for each pair.
//
// What changed: W q_i does not depend on j, nor U k_j on i. Both are computed before the pairs are visited and kept: that
// takes (queries + keys) · hidden floats. What is left for a pair is hidden times an addition, a tanh and a multiply-add.
#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

void hoisted(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index hidden = p.hidden();
  tensor::Buffer a(static_cast<std::size_t>(p.queries() * hidden));
  tensor::Buffer b(static_cast<std::size_t>(p.keys() * hidden));
  for (Index i = 0; i < p.queries(); ++i)
    project(p.W.data(), hidden, p.query_dim(), p.query.data() + i * p.query_dim(), a.data() + i * hidden);
  for (Index j = 0; j < p.keys(); ++j)
    project(p.U.data(), hidden, p.key_dim(), p.key.data() + j * p.key_dim(), b.data() + j * hidden);
  for (Index i = 0; i < p.queries(); ++i) attend_row(p, i, a.data() + i * hidden, b.data(), out);
}

std::size_t hoisted_workspace(const Problem& p) {
  return weights_workspace(p) + static_cast<std::size_t>((p.queries() + p.keys()) * p.hidden()) * sizeof(float);
}

}  // namespace attention::additive
