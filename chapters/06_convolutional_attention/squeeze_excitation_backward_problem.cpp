#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

void prepare(const SqueezeExcitationBackwardProblem& p, SqueezeExcitationBackwardOutput& out) {
  fit_gradient(out.input, p.input);
  fit_gradient(out.reduce_weight, p.reduce_weight);
  fit_gradient(out.reduce_bias, p.reduce_bias);
  fit_gradient(out.expand_weight, p.expand_weight);
  fit_gradient(out.expand_bias, p.expand_bias);
}

SqueezeExcitationKept<double> keep(const SqueezeExcitationProblem& p) {
  SqueezeExcitationReference r = reference(p);
  return {std::move(r.mean), std::move(r.hidden), std::move(r.gate)};
}

void run_forward(SqueezeExcitationBackwardProblem& p) {
  const SqueezeExcitationKept<double> kept = keep(p);
  p.kept = {rounded(kept.mean), rounded(kept.hidden), rounded(kept.gate)};
}

SqueezeExcitationBackwardProblem make_squeeze_excitation_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                                  ladder::Hardness hardness) {
  SqueezeExcitationBackwardProblem p{make_squeeze_excitation(shape, seed, hardness), {}, {}};
  p.output_gradient = make_output_gradient(p, seed);
  run_forward(p);
  return p;
}

ladder::Cost cost(const SqueezeExcitationBackwardProblem& p) {
  const auto batch = static_cast<double>(p.batch());
  const auto elements = static_cast<double>(p.input.size());
  const auto weights = static_cast<double>(p.reduce_weight.size() + p.expand_weight.size());
  const auto kept = static_cast<double>(p.kept.mean.size() + p.kept.hidden.size() + p.kept.gate.size());
  return {.flops = 4 * elements + 4 * batch * weights,
          .bytes = gated_backward_bytes(p) + 4 * (2 * weights + kept),
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
