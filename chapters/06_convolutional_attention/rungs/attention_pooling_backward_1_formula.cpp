// Backward, rung 1, formula: the equations, written with xtensor.
//
// What it shows: the gradient of the weights is one more scoring of the places, with dy in the place of w.
#include "rungs/attention_pooling_backward_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_backward_formula(const AttentionPoolingBackwardProblem& p, AttentionPoolingBackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  out.weight.fill(0);
  for (Index b = 0; b < p.forward.batch(); ++b) {
    const auto x = xt::view(p.forward.input, b, all(), all(), all());
    const Tensor<1> dy = xt::view(p.output_gradient, b, all());
    const Tensor<2> a = xt::view(p.kept.weights, b, all(), all());
    // g = dy · x, D = dy · y, de = a (g − D)
    const Tensor<2> g = xt::sum(xt::view(dy, all(), newaxis(), newaxis()) * x, {0});
    const float D = xt::sum(dy * xt::view(p.kept.output, b, all()))();
    const Tensor<2> de = a * (g - D);
    // dx = a dy + de w, dw = Σ de x
    xt::view(out.input, b, all(), all(), all()) =
        xt::view(a, newaxis(), all(), all()) * xt::view(dy, all(), newaxis(), newaxis()) +
        xt::view(de, newaxis(), all(), all()) * xt::view(p.forward.weight, all(), newaxis(), newaxis());
    const Tensor<1> dw = xt::sum(xt::view(de, newaxis(), all(), all()) * x, {1, 2});
    out.weight += dw;
  }
}

std::size_t attention_pooling_backward_formula_workspace(const AttentionPoolingBackwardProblem& p) {
  return static_cast<std::size_t>(3 * p.forward.places() + 2 * p.forward.channels()) * sizeof(float);
}

}  // namespace attention::convolutional
