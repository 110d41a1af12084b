#include <algorithm>
#include <cmath>

#include "non_local.hpp"
#include "numerics/random.hpp"
#include "tensor/make_room.hpp"

namespace attention::convolutional {

void prepare(const NonLocalProblem& p, NonLocalOutput& out, bool store_weights) {
  const auto positions = static_cast<std::size_t>(p.positions());
  const std::array weights{p.input.shape()[0], positions, positions};
  if (!std::ranges::equal(out.output.shape(), p.input.shape())) out.output = tensor::empty<4>(p.input.shape());
  tensor::make_room(store_weights, weights, out.weights, out.spare_weights);
}

NonLocalProblem make_non_local(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const auto size = [&shape](const char* key) { return static_cast<std::size_t>(shape[key]); };
  const std::size_t channels = size("channels");
  const std::size_t inner = std::max<std::size_t>(channels / 2, 1);
  NonLocalProblem p;
  p.input = tensor::empty<4>({size("batch"), channels, size("height"), size("width")});
  p.theta = tensor::empty<2>({inner, channels});
  p.phi = tensor::empty<2>({inner, channels});
  p.g = tensor::empty<2>({inner, channels});
  p.out_weight = tensor::empty<2>({channels, inner});
  numerics::Random random(seed);
  for (float& x : p.input) x = random.normal();
  for (Tensor<2>* weight : {&p.theta, &p.phi, &p.g})
    for (float& w : *weight) w = random.normal() / std::sqrt(static_cast<float>(channels));
  for (float& w : p.out_weight) w = random.normal() / std::sqrt(static_cast<float>(inner));

  const Index positions = p.positions();
  float* input = p.input.data();
  const Index planes = p.batch() * p.channels();
  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& w : p.theta) w *= 20;
      break;
    case ladder::Hardness::equal_keys:
      for (Index plane = 0; plane < planes; ++plane)
        std::fill_n(input + plane * positions, positions, input[plane * positions]);
      break;
    case ladder::Hardness::outlier:
      for (Index plane = 0; plane < planes; ++plane) input[(plane + 1) * positions - 1] *= 5;
      break;
    case ladder::Hardness::tiny:
      for (float& x : p.input) {
        const double which = random.uniform();
        x *= which < 0.4 ? 1e-40F : which < 0.8 ? -0.F : 1.F;
      }
      break;
  }
  return p;
}

ladder::Cost cost(const NonLocalProblem& p) {
  const double images = static_cast<double>(p.batch());
  const double positions = static_cast<double>(p.positions());
  const double channels = static_cast<double>(p.channels());
  const double inner = static_cast<double>(p.inner());
  return {.flops = images * positions * 2 * inner * (4 * channels + 2 * positions),
          .bytes = 4 * (2 * images * positions * channels + 4 * channels * inner),
          .exps = images * positions * positions,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
