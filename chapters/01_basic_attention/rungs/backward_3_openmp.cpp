// Rung 3, openmp: the keys in parts, and the parts shared among the threads.
//
// What changed: in forward the queries were shared out. Here every query adds to the gradients of all keys, and all of them to v;
// two threads that add to the same number lose one of the additions. A part of the keys owns their gradients; what it adds to
// those of the queries and of v goes into sums of its own, and these are added in the order of the keys when all are done. How many
// parts there are follows from the shape, so the bits are the same with any number of threads.
#include <omp.h>

#include <vector>

#include "rungs/backward_row.hpp"
#include "rungs/backward_rungs.hpp"

namespace attention::additive {

void backward_openmp(const BackwardProblem& problem, BackwardOutput& out) {
  const Problem& p = problem.inputs;
  prepare(problem, out);
  const Index hidden = p.hidden();
  const KeyParts parts(p);
  tensor::Buffer a(static_cast<std::size_t>(p.queries() * hidden));
  tensor::Buffer b(static_cast<std::size_t>(p.keys() * hidden));
  ProjectionGradients g(p, hidden, parts.count);
  std::fill(out.value_gradient.begin(), out.value_gradient.end(), 0.F);
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index i = 0; i < p.queries(); ++i)
      project(p.W.data(), hidden, p.query_dim(), p.query.data() + i * p.query_dim(), a.data() + i * hidden);
#pragma omp for schedule(static)
    for (Index j = 0; j < p.keys(); ++j)
      project(p.U.data(), hidden, p.key_dim(), p.key.data() + j * p.key_dim(), b.data() + j * hidden);
    std::vector<float> t(static_cast<std::size_t>(hidden));
#pragma omp for schedule(dynamic)
    for (Index part = 0; part < parts.count; ++part)
      for (Index i = 0; i < p.queries(); ++i)
        add_row(problem, i, part * parts.keys, std::min((part + 1) * parts.keys, p.keys()), a.data() + i * hidden, b.data(), t.data(),
                g.query.data() + (part * p.queries() + i) * hidden, g.key.data(), g.v.data() + part * hidden, out);
  }
  finish(p, g, 1, 1, out);
}

std::size_t backward_openmp_workspace(const BackwardProblem& problem) {
  const Problem& p = problem.inputs;
  return sizeof(float) * (ProjectionGradients::floats(p, p.hidden(), KeyParts(p).count) +
                          static_cast<std::size_t>((p.queries() + p.keys() + omp_get_max_threads()) * p.hidden()));
}

}  // namespace attention::additive
