// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: two poolings of the maps over their places, two small products; two poolings over the channels, and a convolution
// of two maps to one, written as a sum of shifted maps. Every pooling is put into a named tensor: a lazy reduction inside a
// broadcast would be computed again for every place.
#include "rungs/cbam_rungs.hpp"

namespace attention::convolutional {

namespace {

/// W₁ max(0, W₀ pooled)
Tensor<1> excitation(const CbamProblem& p, const Tensor<1>& pooled) {
  using xt::all;
  using xt::newaxis;
  Tensor<1> hidden = xt::sum(p.reduce_weight * xt::view(pooled, newaxis(), all()), {1});
  hidden = xt::where(hidden < 0.F, 0.F, hidden);
  return xt::sum(p.expand_weight * xt::view(hidden, newaxis(), all()), {1});
}

}  // namespace

void cbam_formula(const CbamProblem& p, CbamOutput& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index height = p.height();
  const Index width = p.width();
  const auto side = [&p](Index n) { return static_cast<std::size_t>(n + 2 * p.radius()); };
  for (std::size_t b = 0; b < p.input.shape()[0]; ++b) {
    // M_c = σ(MLP(mean) + MLP(maximum))
    const auto image = xt::view(p.input, b, all(), all(), all());
    Tensor<1> mean = xt::sum(image, {1, 2});
    mean /= static_cast<float>(p.places());
    const Tensor<1> largest = xt::amax(image, {1, 2});
    const Tensor<1> argument = excitation(p, mean) + excitation(p, largest);
    xt::view(out.channel_gate, b, all()) = 1.F / (1.F + xt::exp(-argument));

    // F′ = M_c ⊗ F
    const Tensor<3> gated = image * xt::view(out.channel_gate, b, all(), newaxis(), newaxis());

    // M_s = σ(f ∗ [mean; maximum])
    Tensor<3> pooled = tensor::empty<3>({2, side(height), side(width)});
    pooled.fill(0.F);
    auto inside = xt::view(pooled, all(), range(p.radius(), p.radius() + height), range(p.radius(), p.radius() + width));
    const Tensor<2> sums = xt::sum(gated, {0});
    const Tensor<2> maxima = xt::amax(gated, {0});
    xt::view(inside, 0, all(), all()) = sums / static_cast<float>(p.channels());
    xt::view(inside, 1, all(), all()) = maxima;
    Tensor<2> convolved = tensor::empty<2>({p.input.shape()[2], p.input.shape()[3]});
    convolved.fill(0.F);
    for (Index u = 0; u < p.kernel(); ++u)
      for (Index v = 0; v < p.kernel(); ++v)
        for (std::size_t which = 0; which < 2; ++which)
          convolved += p.spatial_weight(which, static_cast<std::size_t>(u), static_cast<std::size_t>(v)) *
                       xt::view(pooled, which, range(u, u + height), range(v, v + width));
    xt::view(out.spatial_gate, b, all(), all()) = 1.F / (1.F + xt::exp(-convolved));

    // F″ = M_s ⊗ F′
    xt::view(out.output, b, all(), all(), all()) = gated * xt::view(out.spatial_gate, b, newaxis(), all(), all());
  }
}

std::size_t cbam_formula_workspace(const CbamProblem& p) {
  // One image's F′, its pools with their border, the convolution's sums.
  const Index padded = 2 * (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
  return static_cast<std::size_t>(p.image_size() + padded + 3 * p.places() + 4 * p.channels() + p.hidden()) * sizeof(float);
}

}  // namespace attention::convolutional
