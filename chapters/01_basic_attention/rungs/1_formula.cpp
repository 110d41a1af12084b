// Rung 1, formula: the equation for one query and one key, written with xtensor, for all pairs.
//
// What it shows: how close code can be to a formula, and what that costs. A pair is three small tensors; each is allocated,
// filled element by element and thrown away. The projections are put into named tensors before they are added: a reduction
// that stays lazy inside an expression is computed again for every element that is asked for.
#include <cmath>

#include "rungs/rungs.hpp"

namespace attention::additive {

void formula(const Problem& p, Output& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out, true);
  Tensor<2> scores = tensor::empty<2>({p.query.shape()[0], p.key.shape()[0]});
  for (std::size_t i = 0; i < scores.shape()[0]; ++i)
    for (std::size_t j = 0; j < scores.shape()[1]; ++j) {
      // score = vᵀ tanh(W q + U k)
      const Tensor<1> Wq = xt::sum(p.W * xt::view(p.query, i, all()), {1});
      const Tensor<1> Uk = xt::sum(p.U * xt::view(p.key, j, all()), {1});
      scores(i, j) = xt::sum(p.v * xt::tanh(Wq + Uk))();
    }
  // weights = softmax(scores), the maximum taken out so that no exponential overflows
  const Tensor<1> largest = xt::amax(scores, {1});
  out.weights = xt::exp(scores - xt::view(largest, all(), newaxis()));
  const Tensor<1> total = xt::sum(out.weights, {1});
  out.weights /= xt::view(total, all(), newaxis());
  // output = weights · V
  out.output = xt::sum(xt::view(out.weights, all(), all(), newaxis()) * xt::view(p.value, newaxis(), all(), all()), {1});
  out.lse = largest + xt::log(total);
}

}  // namespace attention::additive
