// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: a sum over the channels, a softmax over the places, a sum over the places. Maximum and sum are put into named
// numbers first, as in chapter 2.
#include "rungs/attention_pooling_rungs.hpp"

namespace attention::convolutional {

void attention_pooling_formula(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  for (std::size_t b = 0; b < p.input.shape()[0]; ++b) {
    const auto x = xt::view(p.input, b, all(), all(), all());
    // e = w · x
    const Tensor<2> score = xt::sum(xt::view(p.weight, all(), newaxis(), newaxis()) * x, {0});
    // a = softmax over the places
    const float largest = xt::amax(score)();
    Tensor<2> weight = xt::exp(score - largest);
    const float total = xt::sum(weight)();
    weight /= total;
    xt::view(out.weights, b, all(), all()) = weight;
    // y = Σ a x
    xt::view(out.output, b, all()) = xt::sum(xt::view(weight, newaxis(), all(), all()) * x, {1, 2});
  }
}

std::size_t attention_pooling_formula_workspace(const AttentionPoolingProblem& p) {
  return static_cast<std::size_t>(2 * p.places()) * sizeof(float);
}

}  // namespace attention::convolutional
