// Rung 2, loops: pair by pair. The projections are computed once; a pair's tanhs are computed, used for its score and for all
// gradients, and forgotten.
//
// What changed: nothing as large as queries × keys is stored. A weight is recomputed from lse: one exponential.
#include <vector>

#include "rungs/backward_row.hpp"
#include "rungs/backward_rungs.hpp"

namespace attention::additive {

void backward_loops(const BackwardProblem& problem, BackwardOutput& out) {
  const Problem& p = problem.inputs;
  prepare(problem, out);
  const Index hidden = p.hidden();
  tensor::Buffer a(static_cast<std::size_t>(p.queries() * hidden));
  tensor::Buffer b(static_cast<std::size_t>(p.keys() * hidden));
  for (Index i = 0; i < p.queries(); ++i)
    project(p.W.data(), hidden, p.query_dim(), p.query.data() + i * p.query_dim(), a.data() + i * hidden);
  for (Index j = 0; j < p.keys(); ++j)
    project(p.U.data(), hidden, p.key_dim(), p.key.data() + j * p.key_dim(), b.data() + j * hidden);
  ProjectionGradients g(p, hidden, 1);
  std::vector<float> t(static_cast<std::size_t>(hidden));
  std::fill(out.value_gradient.begin(), out.value_gradient.end(), 0.F);
  for (Index i = 0; i < p.queries(); ++i)
    add_row(problem, i, 0, p.keys(), a.data() + i * hidden, b.data(), t.data(), g.query.data() + i * hidden, g.key.data(), g.v.data(), out);
  finish(p, g, 1, 1, out);
}

std::size_t backward_loops_workspace(const BackwardProblem& problem) {
  const Problem& p = problem.inputs;
  return sizeof(float) * (ProjectionGradients::floats(p, p.hidden(), 1) +
                          static_cast<std::size_t>((p.queries() + p.keys() + 1) * p.hidden()));
}

}  // namespace attention::additive
