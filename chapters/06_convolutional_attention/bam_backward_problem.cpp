#include <algorithm>

#include "bam_backward.hpp"
#include "numerics/random.hpp"
#include "rungs/bam_vector.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void prepare(const BamBackwardProblem& p, BamBackwardOutput& out) {
  const auto fit = [](auto& gradient, const auto& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = std::remove_cvref_t<decltype(of)>(of.shape());
  };
  fit(out.input, p.forward.input);
  fit(out.reduce_weight, p.forward.reduce_weight);
  fit(out.reduce_bias, p.forward.reduce_bias);
  fit(out.expand_weight, p.forward.expand_weight);
  fit(out.expand_bias, p.forward.expand_bias);
  for (std::size_t layer = 0; layer < 4; ++layer) {
    fit(out.spatial[layer].weight, p.forward.spatial[layer].weight);
    fit(out.spatial[layer].bias, p.forward.spatial[layer].bias);
  }
}

void run_forward(BamBackwardProblem& p) {
  const BamProblem& f = p.forward;
  const auto& shape = f.input.shape();
  const Index places = f.places();
  const Index inner = f.hidden() * places;
  p.mean = tensor::empty<2>({shape[0], shape[1]});
  p.channel_branch = tensor::empty<2>({shape[0], shape[1]});
  p.spatial_branch = tensor::empty<3>({shape[0], shape[2], shape[3]});
  p.inner[0] = tensor::empty<4>({shape[0], static_cast<std::size_t>(f.hidden()), shape[2], shape[3]});
  for (Index b = 0; b < f.batch(); ++b) {
    float* mean = p.mean.data() + b * f.channels();
    for (Index c = 0; c < f.channels(); ++c) mean[c] = map_sum(f.map_of(b, c), places) / static_cast<float>(places);
    bam_channel_branch(f, mean, dot, p.channel_branch.data() + b * f.channels());
    BamVector::mix(f.spatial[0], f.image_of(b), places, p.inner[0].data() + b * inner);
  }
  BamVector::rectify(p.inner[0].data(), f.batch() * inner);
  for (std::size_t layer = 1; layer < 3; ++layer) {
    ConvolutionOutput convolved;
    convolution_tiled({p.inner[layer - 1], f.spatial[layer].weight, f.spatial[layer].bias, f.dilation}, convolved);
    p.inner[layer] = std::move(convolved.output);
    BamVector::rectify(p.inner[layer].data(), f.batch() * inner);
  }
  for (Index b = 0; b < f.batch(); ++b)
    BamVector::mix(f.spatial[3], p.inner_of(2, b), places, p.spatial_branch.data() + b * places);
}

BamBackwardProblem make_bam_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  BamBackwardProblem p;
  p.forward = make_bam(shape, seed, hardness);
  p.output_gradient = Tensor<4>(p.forward.input.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  run_forward(p);
  return p;
}

ladder::Cost cost(const BamBackwardProblem& p) {
  const ladder::Cost forward = cost(p.forward);
  const auto elements = static_cast<double>(p.forward.input.size());
  const auto inner = static_cast<double>(p.inner[0].size());
  const auto hidden = static_cast<double>(p.forward.hidden());
  double weights = 0;
  for_each_bam_weight(p.forward,
                      [&](const char*, const auto& weight) { weights += static_cast<double>(weight.size()); });
  // Forward has 5 + 2 · hidden operations an element; each product of its layers becomes two.
  const double layers = forward.flops - (5 + 2 * hidden) * elements;
  return {.flops = (13 + 4 * hidden) * elements + 2 * layers,
          .bytes = forward.bytes + 4 * (elements + 3 * inner + weights),
          .exps = forward.exps,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
