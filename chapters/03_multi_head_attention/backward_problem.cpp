#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "multi_head_backward.hpp"
#include "numerics/random.hpp"
#include "rungs/split.hpp"

namespace attention::multi_head {

void prepare(const BackwardProblem& p, BackwardOutput& out) {
  const auto fit = [](Tensor<3>& gradient, const Tensor<3>& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = Tensor<3>(of.shape());
  };
  fit(out.input, p.input);
  fit(out.W_Q, p.W_Q);
  fit(out.W_K, p.W_K);
  fit(out.W_V, p.W_V);
  fit(out.W_O, p.W_O);
}

void run_forward(BackwardProblem& p, bool causal) {
  const Problem forward{p.input, p.W_Q, p.W_K, p.W_V, p.W_O, causal, {}, {}, {}};
  dot_product::Problem heads = split(forward, project(forward));
  p.heads.query = std::move(heads.query);
  p.heads.key = std::move(heads.key);
  p.heads.value = std::move(heads.value);
  p.heads.output_gradient = Tensor<4>(p.heads.query.shape());
  p.heads.output_gradient.fill(0);
  p.heads.scale = heads.scale;
  p.heads.mask = heads.mask;
  dot_product::run_forward(p.heads);
}

BackwardProblem make_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const std::string text = fmt::format("batch={},n={},width={},key_heads={},group=1,dim={},causal={}", shape["batch"], shape["n"],
                                       shape["width"], shape["heads"], shape["dim"], shape["causal"]);
  Problem forward = make(ladder::parse_shape(text, mechanism().keys), seed, hardness);
  BackwardProblem p;
  p.input = std::move(forward.input);
  p.W_Q = std::move(forward.W_Q);
  p.W_K = std::move(forward.W_K);
  p.W_V = std::move(forward.W_V);
  p.W_O = std::move(forward.W_O);
  p.output_gradient = Tensor<3>(p.input.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  run_forward(p, forward.causal);
  return p;
}

ladder::Cost cost(const BackwardProblem& p) {
  const auto number = [](Index n) { return static_cast<double>(n); };
  const ladder::Cost heads = dot_product::cost(p.heads);
  const double matrices = number(p.width() * p.columns());
  const double rows = number(p.rows() * p.width());
  const double kept = 4 * number(p.rows() * p.columns()) + number(p.batch() * p.head_count() * p.n());
  return {.flops = heads.flops + 2 * 8 * number(p.rows()) * matrices,
          .bytes = 4 * (3 * rows + 8 * matrices + kept),
          .exps = heads.exps,
          .reciprocals = 0};
}

}  // namespace attention::multi_head
