// Linear rung 2, loops: the recurrence, a token at a time, in plain loops.
//
// What changed: the brackets. (φ(q) φ(k)ᵀ) v is φ(q) (φ(k)ᵀ v), and the second is a sum that can be carried along: S and z. The n × n
// weights are gone, and with them the n². Every token reads and writes all of S: 2 · dim · value_dim multiply-adds for it.
#include "rungs/linear_recurrence.hpp"
#include "rungs/linear_rungs.hpp"

namespace attention::self_attention {

LinearPass sizes_of(const LinearProblem& p) {
  LinearPass pass;
  pass.batch = p.batch();
  pass.heads = pass.key_heads = p.heads();
  pass.n = p.n();
  pass.dim = p.dim();
  pass.value_dim = p.value_dim();
  return pass;
}

LinearPass pass_of(const LinearProblem& p, LinearOutput& out) {
  prepare(p, out, true);
  out.state.fill(0);
  out.normalizer.fill(0);
  LinearPass pass = sizes_of(p);
  pass.query = dot_product::rows_of(p.query.data(), p.heads(), p.n(), p.dim());
  pass.key = dot_product::rows_of(p.key.data(), p.heads(), p.n(), p.dim());
  pass.value = dot_product::rows_of(p.value.data(), p.heads(), p.n(), p.value_dim());
  pass.output = dot_product::rows_of(out.output.data(), p.heads(), p.n(), p.value_dim());
  pass.state = out.state.data();
  pass.normalizer = out.normalizer.data();
  return pass;
}

void linear_loops(const LinearProblem& p, LinearOutput& out) {
  const LinearPass pass = pass_of(p, out);
  tensor::Buffer features(static_cast<std::size_t>(2 * p.dim()));
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) recur(pass, b, h, features.data());
}

std::size_t linear_loops_workspace(const LinearProblem& p) { return static_cast<std::size_t>(2 * p.dim()) * sizeof(float); }

}  // namespace attention::self_attention
