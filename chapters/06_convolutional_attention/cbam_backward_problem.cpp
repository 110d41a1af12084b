#include "cbam_backward.hpp"

namespace attention::convolutional {

void prepare(const CbamBackwardProblem& p, CbamBackwardOutput& out) {
  fit_gradient(out.input, p.input);
  fit_gradient(out.reduce_weight, p.reduce_weight);
  fit_gradient(out.expand_weight, p.expand_weight);
  fit_gradient(out.spatial_weight, p.spatial_weight);
}

CbamKept<double> keep(const CbamProblem& p) {
  CbamReference r = reference(p);
  r.kept.channel_gate = std::move(r.channel_gate);
  r.kept.spatial_gate = std::move(r.spatial_gate);
  return std::move(r.kept);
}

void run_forward(CbamBackwardProblem& p) {
  const CbamKept<double> kept = keep(p);
  p.kept = {rounded(kept.mean),        rounded(kept.largest),        kept.largest_place,
            rounded(kept.hidden_mean), rounded(kept.hidden_largest), rounded(kept.channel_gate),
            rounded(kept.pooled),      kept.largest_channel,         rounded(kept.spatial_gate)};
}

CbamBackwardProblem make_cbam_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  CbamBackwardProblem p{make_cbam(shape, seed, hardness), {}, {}};
  p.output_gradient = make_output_gradient(p, seed);
  run_forward(p);
  return p;
}

ladder::Cost cost(const CbamBackwardProblem& p) {
  const auto batch = static_cast<double>(p.batch());
  const auto places = batch * static_cast<double>(p.places());
  const auto channels = batch * static_cast<double>(p.channels());
  const auto weights = static_cast<double>(p.reduce_weight.size() + p.expand_weight.size());
  const auto taps = static_cast<double>(p.spatial_weight.size());
  return {.flops = 10 * static_cast<double>(p.input.size()) + 6 * batch * weights + 4 * places * taps,
          .bytes = gated_backward_bytes(p) + 4 * (2 * weights + 2 * taps + 5 * channels + 4 * places),
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
