// Rung 1, formula: the equations, written with xtensor, image by image.
//
// What it shows: every line of forward has its line here, in the opposite order. A mean gives its gradient to all in
// equal shares, a maximum to the one that had it: these two are the only loops. Everything that is used twice has a
// name.
#include "rungs/cbam_backward_rungs.hpp"

namespace attention::convolutional {

namespace {

/// Planes in the middle of a border of `radius` zeros.
Tensor<3> padded(const Tensor<3>& planes, Index radius) {
  const Index height = tensor::extent(planes, 1);
  const Index width = tensor::extent(planes, 2);
  Tensor<3> with = xt::zeros<float>({tensor::extent(planes, 0), height + 2 * radius, width + 2 * radius});
  xt::view(with, xt::all(), xt::range(radius, radius + height), xt::range(radius, radius + width)) = planes;
  return with;
}

/// From dT of one image: the gradients of its two pools, and its part of df.
Tensor<3> through_convolution(const CbamBackwardProblem& p, std::size_t b, const Tensor<2>& dT,
                              Tensor<3>& weight_gradient) {
  using xt::all;
  using xt::range;
  const Tensor<3> padded_dT = padded(xt::view(dT, xt::newaxis(), all(), all()), p.radius());
  const Tensor<3> padded_pools = padded(xt::view(p.kept.pooled, b, all(), all(), all()), p.radius());
  Tensor<3> pools = xt::zeros<float>({Index{2}, p.height(), p.width()});
  for (std::size_t which = 0; which < 2; ++which)
    for (Index u = 0; u < p.kernel(); ++u)
      for (Index v = 0; v < p.kernel(); ++v) {
        const Index top = 2 * p.radius() - u;
        const Index left = 2 * p.radius() - v;
        const auto row = static_cast<std::size_t>(u);
        const auto column = static_cast<std::size_t>(v);
        xt::view(pools, which, all(), all()) += p.spatial_weight(which, row, column) *
                                                xt::view(padded_dT, 0, range(top, top + p.height()),
                                                         range(left, left + p.width()));
        const auto seen = xt::view(padded_pools, which, range(u, u + p.height()), range(v, v + p.width()));
        weight_gradient(which, row, column) += xt::sum(dT * seen)();
      }
  return pools;
}

}  // namespace

void cbam_backward_formula(const CbamBackwardProblem& p, CbamBackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  out.reduce_weight.fill(0);
  out.expand_weight.fill(0);
  out.spatial_weight.fill(0);
  const auto& kept = p.kept;
  const auto height = static_cast<std::size_t>(p.height());
  const auto width = static_cast<std::size_t>(p.width());
  for (std::size_t b = 0; b < p.input.shape()[0]; ++b) {
    const auto image = xt::view(p.input, b, all(), all(), all());
    const auto gradient = xt::view(p.output_gradient, b, all(), all(), all());
    const auto channel_gate = xt::view(kept.channel_gate, b, all());
    const auto spatial_gate = xt::view(kept.spatial_gate, b, all(), all());

    // dT = Σ_c M_c G_c F_c ∘ M_s ∘ (1 − M_s)
    const Tensor<2> place = xt::sum(xt::view(kept.channel_gate, b, all(), newaxis(), newaxis()) * gradient * image,
                                    {0});
    const Tensor<2> dT = place * spatial_gate * (1.F - spatial_gate);
    const Tensor<3> pools = through_convolution(p, b, dT, out.spatial_weight);

    // dF′ = M_s G + dP_mean / C, and dP_max where the maximum was
    const Tensor<2> of_mean = xt::view(pools, 0, all(), all()) / static_cast<float>(p.channels());
    Tensor<3> gated = xt::view(kept.spatial_gate, b, newaxis(), all(), all()) * gradient +
                      xt::view(of_mean, newaxis(), all(), all());
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        gated(static_cast<std::size_t>(kept.largest_channel(b, y, x)), y, x) += pools(1, y, x);

    // dt = Σ_p dF′ F ∘ M_c ∘ (1 − M_c); dh = W₁ᵀ dt where the unit was open
    const Tensor<1> channel = xt::sum(gated * image, {1, 2});
    const Tensor<1> dt = channel * channel_gate * (1.F - channel_gate);
    const Tensor<1> dh = xt::sum(xt::view(dt, all(), newaxis()) * p.expand_weight, {0});
    const auto hidden_mean = xt::view(kept.hidden_mean, b, all());
    const auto hidden_largest = xt::view(kept.hidden_largest, b, all());
    const Tensor<1> dh_mean = xt::where(hidden_mean <= 0.F, 0.F, dh);
    const Tensor<1> dh_largest = xt::where(hidden_largest <= 0.F, 0.F, dh);
    const Tensor<1> hidden = hidden_mean + hidden_largest;
    out.expand_weight += xt::view(dt, all(), newaxis()) * xt::view(hidden, newaxis(), all());
    out.reduce_weight += xt::view(dh_mean, all(), newaxis()) * xt::view(kept.mean, b, newaxis(), all());
    out.reduce_weight += xt::view(dh_largest, all(), newaxis()) * xt::view(kept.largest, b, newaxis(), all());

    // dF = M_c dF′ + (W₀ᵀ dh_a) / (H·W), and W₀ᵀ dh_m where the maximum was
    Tensor<1> of_places = xt::sum(xt::view(dh_mean, all(), newaxis()) * p.reduce_weight, {0});
    of_places /= static_cast<float>(p.places());
    const Tensor<1> of_largest = xt::sum(xt::view(dh_largest, all(), newaxis()) * p.reduce_weight, {0});
    xt::view(out.input, b, all(), all(), all()) = gated * xt::view(kept.channel_gate, b, all(), newaxis(), newaxis()) +
                                                  xt::view(of_places, all(), newaxis(), newaxis());
    for (std::size_t c = 0; c < of_largest.size(); ++c) {
      const auto at = static_cast<std::size_t>(kept.largest_place(b, c));
      out.input(b, c, at / width, at % width) += of_largest(c);
    }
  }
}

std::size_t cbam_backward_formula_workspace(const CbamBackwardProblem& p) {
  // One image's dF′; pools and dT with their border, and without.
  const Index padded = (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  return static_cast<std::size_t>(p.image_size() + 3 * padded + 5 * p.places() + 4 * p.channels() + 4 * p.hidden()) *
         sizeof(float);
}

}  // namespace attention::convolutional
