#include <algorithm>
#include <utility>

#include "non_local_backward.hpp"
#include "numerics/random.hpp"
#include "rungs/non_local_rows.hpp"

namespace attention::convolutional {

void prepare(const NonLocalBackwardProblem& p, NonLocalBackwardOutput& out) {
  const auto fit = [](auto& gradient, const auto& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = std::remove_cvref_t<decltype(of)>(of.shape());
  };
  fit(out.input, p.forward.input);
  fit(out.theta, p.forward.theta);
  fit(out.phi, p.forward.phi);
  fit(out.g, p.forward.g);
  fit(out.out_weight, p.forward.out_weight);
}

void run_forward(NonLocalBackwardProblem& p) {
  const NonLocalProblem& f = p.forward;
  const Index inner = f.inner();
  const Index stride = whole_panels(3 * inner);
  tensor::Buffer weights(static_cast<std::size_t>(f.channels() * stride));
  tensor::Buffer embedded(static_cast<std::size_t>(f.batch() * f.positions() * stride));
  pack_weights(f, stride, weights.data());
  embed_rows(f, weights.data(), stride, embedded.data());
  Index column = 0;
  for (Tensor<4>* to : {&p.kept.query, &p.kept.key, &p.kept.value}) {
    *to = tensor::empty<4>(
        {f.input.shape()[0], 1, static_cast<std::size_t>(f.positions()), static_cast<std::size_t>(inner)});
    for (Index i = 0; i < f.batch() * f.positions(); ++i)
      std::copy_n(embedded.data() + i * stride + column, inner, to->data() + i * inner);
    column += inner;
  }
  p.kept.scale = 1;
  p.kept.mask = dot_product::Mask::full();
  p.kept.output_gradient = Tensor<4>(p.kept.query.shape(), 0);
  dot_product::run_forward(p.kept);
}

NonLocalBackwardProblem make_non_local_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                ladder::Hardness hardness) {
  NonLocalBackwardProblem p;
  p.forward = make_non_local(shape, seed, hardness);
  p.output_gradient = Tensor<4>(p.forward.input.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  run_forward(p);
  return p;
}

ladder::Cost cost(const NonLocalBackwardProblem& p) {
  const double images = static_cast<double>(p.forward.batch());
  const double positions = static_cast<double>(p.forward.positions());
  const double channels = static_cast<double>(p.forward.channels());
  const double inner = static_cast<double>(p.forward.inner());
  return {.flops = images * positions * 2 * inner * (8 * channels + 5 * positions),
          .bytes = 4 * (images * positions * (3 * channels + 4 * inner + 1) + 8 * channels * inner),
          .exps = images * positions * positions,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
