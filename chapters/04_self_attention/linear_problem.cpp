#include <algorithm>

#include "ladder/tensor_fields.hpp"
#include "linear_attention.hpp"
#include "numerics/random.hpp"

namespace attention::self_attention {

namespace {

double not_positive(const Tensor<4>& tensor) {
  return ladder::number(std::count_if(tensor.begin(), tensor.end(), [](float x) { return !(x > 0); }));
}

}  // namespace

void prepare(const LinearProblem& p, LinearOutput& out, bool store_state) {
  const std::array output{size(p.batch()), size(p.heads()), size(p.n()), size(p.value_dim())};
  const std::array state{output[0], output[1], size(p.dim()), output[3]};
  const std::array normalizer{output[0], output[1], size(p.dim())};
  if (!std::ranges::equal(out.output.shape(), output)) out.output = tensor::empty<4>(output);
  if (!store_state) {
    out.state = Tensor<4>();
    out.normalizer = Tensor<3>();
    return;
  }
  if (!std::ranges::equal(out.state.shape(), state)) out.state = tensor::empty<4>(state);
  if (!std::ranges::equal(out.normalizer.shape(), normalizer)) out.normalizer = tensor::empty<3>(normalizer);
}

LinearProblem make_linear(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  numerics::Random random(seed);
  LinearProblem p;
  const auto made = [&](const char* width) {
    auto tensor = tensor::empty<4>({size(shape["batch"]), size(shape["heads"]), size(shape["n"]), size(shape[width])});
    for (float& x : tensor) x = random.normal();
    return tensor;
  };
  p.query = made("dim");
  p.key = made("dim");
  p.value = made("value_dim");

  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& x : p.query) x *= 50;
      break;
    case ladder::Hardness::equal_keys:
      for (std::size_t i = size(p.dim()); i < p.key.size(); ++i) p.key.data()[i] = p.key.data()[i % size(p.dim())];
      break;
    case ladder::Hardness::outlier:
      for (Index head = 0; head < p.all_heads(); ++head)
        for (Index c = 0; c < p.dim(); ++c) {
          float& x = p.key.data()[((head + 1) * p.n() - 1) * p.dim() + c];
          x = std::abs(30 * x);
        }
      break;
    case ladder::Hardness::tiny:
      for (Tensor<4>* tensor : {&p.query, &p.key})
        for (float& x : *tensor) x *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      break;
  }
  return p;
}

ladder::Cost cost(const LinearProblem& p) {
  using ladder::number;
  const double tokens = number(p.all_heads()) * number(p.n());
  const double dim = number(p.dim());
  const double value_dim = number(p.value_dim());
  return {.flops = tokens * (4 * dim * value_dim + 3 * dim),
          .bytes = 4 * (tokens * 2 * (dim + value_dim) + number(p.all_heads()) * dim * (value_dim + 1)),
          .exps = not_positive(p.query) + not_positive(p.key),
          .reciprocals = tokens};
}

}  // namespace attention::self_attention
