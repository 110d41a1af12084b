#include <algorithm>

#include "attention_pooling_backward.hpp"
#include "numerics/random.hpp"
#include "rungs/attention_pooling_rungs.hpp"

namespace attention::convolutional {

void prepare(const AttentionPoolingBackwardProblem& p, AttentionPoolingBackwardOutput& out) {
  if (!std::ranges::equal(out.input.shape(), p.forward.input.shape())) out.input = Tensor<4>(p.forward.input.shape());
  if (!std::ranges::equal(out.weight.shape(), p.forward.weight.shape()))
    out.weight = Tensor<1>(p.forward.weight.shape());
}

void run_forward(AttentionPoolingBackwardProblem& p) { attention_pooling_online(p.forward, p.kept); }

AttentionPoolingBackwardProblem make_attention_pooling_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                                ladder::Hardness hardness) {
  AttentionPoolingBackwardProblem p;
  p.forward = make_attention_pooling(shape, seed, hardness);
  run_forward(p);
  p.output_gradient = Tensor<2>(p.kept.output.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  return p;
}

ladder::Cost cost(const AttentionPoolingBackwardProblem& p) {
  const auto elements = static_cast<double>(p.forward.input.size());
  const auto places = static_cast<double>(p.forward.batch() * p.forward.places());
  const auto channels = static_cast<double>(p.forward.channels());
  return {.flops = 7 * elements + 2 * places,
          .bytes = 4 * (2 * elements + places + 2 * channels * (static_cast<double>(p.forward.batch()) + 1)),
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
