#include "efficient_channel_backward.hpp"

namespace attention::convolutional {

void prepare(const EfficientChannelBackwardProblem& p, EfficientChannelBackwardOutput& out) {
  fit_gradient(out.input, p.input);
  fit_gradient(out.weight, p.weight);
}

EfficientChannelKept<double> keep(const EfficientChannelProblem& p) {
  EfficientChannelReference r = reference(p);
  return {std::move(r.mean), std::move(r.gate)};
}

void run_forward(EfficientChannelBackwardProblem& p) {
  const EfficientChannelKept<double> kept = keep(p);
  p.kept = {rounded(kept.mean), rounded(kept.gate)};
}

EfficientChannelBackwardProblem make_efficient_channel_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                                ladder::Hardness hardness) {
  EfficientChannelBackwardProblem p{make_efficient_channel(shape, seed, hardness), {}, {}};
  p.output_gradient = make_output_gradient(p, seed);
  run_forward(p);
  return p;
}

ladder::Cost cost(const EfficientChannelBackwardProblem& p) {
  const auto gates = static_cast<double>(p.kept.gate.size());
  const auto kernel = static_cast<double>(p.kernel());
  return {.flops = 4 * static_cast<double>(p.input.size()) + 4 * gates * kernel,
          .bytes = gated_backward_bytes(p) + 4 * (2 * kernel + 2 * gates),
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
