// Rung 1, formula: the equations of backward.hpp in xtensor.
//
// What it shows: all of it fits on half a page. And what it costs: tanh of every pair and hidden unit is stored, and so is its
// gradient. Reductions are put into named tensors: one that stays lazy inside an expression is computed again for every element.
#include "rungs/backward_rungs.hpp"

namespace attention::additive {

namespace {

/// x · matrixᵀ
Tensor<2> product(const Tensor<2>& x, const Tensor<2>& matrix) {
  using xt::all;
  using xt::newaxis;
  return xt::sum(xt::view(x, all(), newaxis(), all()) * xt::view(matrix, newaxis(), all(), all()), {2});
}

Tensor<2> transposed(const Tensor<2>& x) { return xt::transpose(x); }

}  // namespace

void backward_formula(const BackwardProblem& problem, BackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  const auto& [query, key, value, W, U, v] = problem.inputs;
  const Tensor<2>& dO = problem.output_gradient;
  const Tensor<2> Wq = product(query, W);
  const Tensor<2> Uk = product(key, U);
  const Tensor<3> t = xt::tanh(xt::view(Wq, all(), newaxis(), all()) + xt::view(Uk, newaxis(), all(), all()));
  const Tensor<2> scores = xt::sum(t * v, {2});
  const Tensor<2> P = xt::exp(scores - xt::view(problem.lse, all(), newaxis()));
  const Tensor<1> D = xt::sum(dO * problem.output, {1});
  const Tensor<2> dP = product(dO, value);
  const Tensor<2> dS = P * (dP - xt::view(D, all(), newaxis()));
  const Tensor<3> dx = xt::view(dS, all(), all(), newaxis()) * v * (1.F - t * t);
  const Tensor<2> da = xt::sum(dx, {1});
  const Tensor<2> db = xt::sum(dx, {0});
  out.v_gradient = xt::sum(xt::view(dS, all(), all(), newaxis()) * t, {0, 1});
  out.value_gradient = product(transposed(P), transposed(dO));
  out.query_gradient = product(da, transposed(W));
  out.key_gradient = product(db, transposed(U));
  out.W_gradient = product(transposed(da), transposed(query));
  out.U_gradient = product(transposed(db), transposed(key));
}

std::size_t backward_formula_workspace(const BackwardProblem& problem) {
  const Problem& p = problem.inputs;
  return sizeof(float) * static_cast<std::size_t>(p.queries() * p.keys() * (2 * p.hidden() + 4) +
                                                  2 * (p.queries() + p.keys()) * p.hidden());
}

}  // namespace attention::additive
