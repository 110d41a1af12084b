// Rung 2, loops: the same as plain loops over contiguous memory.
//
// What changed: pointers instead of expressions, and nothing is allocated for a pair. What stays slow: both projections are
// computed again for every pair, hidden · (query_dim + key_dim) multiply-adds for hidden values of tanh.
#include <vector>

#include "rungs/row.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

void loops(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Index hidden = p.hidden();
  std::vector<float> a(static_cast<std::size_t>(hidden));
  std::vector<float> b(static_cast<std::size_t>(hidden));
  for (Index i = 0; i < p.queries(); ++i) {
    for (Index j = 0; j < p.keys(); ++j) {
      project(p.W.data(), hidden, p.query_dim(), p.query.data() + i * p.query_dim(), a.data());
      project(p.U.data(), hidden, p.key_dim(), p.key.data() + j * p.key_dim(), b.data());
      float score = 0;
      for (Index h = 0; h < hidden; ++h) score += p.v.data()[h] * std::tanh(a[static_cast<std::size_t>(h)] + b[static_cast<std::size_t>(h)]);
      out.weights.data()[i * p.keys() + j] = score;
    }
    finish_row(p, i, out);
  }
}

std::size_t weights_workspace(const Problem& p) {
  return static_cast<std::size_t>(p.queries() * p.keys()) * sizeof(float);
}

}  // namespace attention::additive
