#include <algorithm>

#include "backward.hpp"
#include "numerics/random.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

void prepare(const BackwardProblem& p, BackwardOutput& out) {
  const auto fit = [](auto& gradient, const auto& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = std::decay_t<decltype(of)>(of.shape());
  };
  fit(out.query_gradient, p.inputs.query);
  fit(out.key_gradient, p.inputs.key);
  fit(out.value_gradient, p.inputs.value);
  fit(out.W_gradient, p.inputs.W);
  fit(out.U_gradient, p.inputs.U);
  fit(out.v_gradient, p.inputs.v);
}

void run_forward(BackwardProblem& p) {
  Output out;
  fused(p.inputs, out);
  p.output = std::move(out.output);
  p.lse = std::move(out.lse);
}

BackwardProblem make_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  BackwardProblem p;
  p.inputs = make(shape, seed, hardness);
  run_forward(p);
  p.output_gradient = Tensor<2>(p.output.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  return p;
}

ladder::Cost cost(const BackwardProblem& problem) {
  const Problem& p = problem.inputs;
  const ladder::Cost forward = cost(p);
  const auto number = [](Index n) { return static_cast<double>(n); };
  const double pairs = number(p.queries()) * number(p.keys());
  const double hidden = number(p.hidden());
  const double value_dim = number(p.value_dim());
  const double products =
      hidden * (number(p.queries()) * number(p.query_dim()) + number(p.keys()) * number(p.key_dim()));
  // Besides the scores, for each pair and hidden unit: the denominator 1 + A B (2), its reciprocal from a shared one (3 at least),
  // r − r² (2), and three sums (6). Then dP and dvalue, and the products with W, U, query and key.
  return {.flops = pairs * ((5 + 13) * hidden + 4 * value_dim) + 6 * products,
          .bytes = 2 * forward.bytes,
          .exps = forward.exps,
          .reciprocals = 2 * forward.reciprocals};
}

}  // namespace attention::additive
