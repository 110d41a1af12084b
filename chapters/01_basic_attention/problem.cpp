#include <algorithm>
#include <array>
#include <cmath>

#include "additive.hpp"
#include "numerics/random.hpp"
#include "tensor/make_room.hpp"

namespace attention::additive {

void prepare(const Problem& p, Output& out, bool store_weights) {
  const std::array output{size(p.queries()), size(p.value_dim())};
  const std::array lse{output[0]};
  const std::array weights{output[0], size(p.keys())};
  if (!std::ranges::equal(out.output.shape(), output)) out.output = tensor::empty<2>(output);
  if (!std::ranges::equal(out.lse.shape(), lse)) out.lse = tensor::empty<1>(lse);
  tensor::make_room(store_weights, weights, out.weights, out.spare_weights);
}

Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  numerics::Random random(seed);
  const auto fill = [&random](auto& tensor, double variance) {
    const auto deviation = static_cast<float>(std::sqrt(variance));
    for (float& x : tensor) x = deviation * random.normal();
  };
  const auto hidden = size(shape["hidden"]);
  const auto query_dim = size(shape["dim"]);
  const auto key_dim = size(shape["key_dim"]);
  Problem p;
  p.query = tensor::empty<2>({size(shape["queries"]), query_dim});
  p.key = tensor::empty<2>({size(shape["keys"]), key_dim});
  p.value = tensor::empty<2>({size(shape["keys"]), size(shape["value_dim"])});
  p.W = tensor::empty<2>({hidden, query_dim});
  p.U = tensor::empty<2>({hidden, key_dim});
  p.v = tensor::empty<1>({hidden});
  fill(p.query, 1);
  fill(p.key, 1);
  fill(p.value, 1);
  fill(p.W, 1 / static_cast<double>(query_dim));
  fill(p.U, 1 / static_cast<double>(key_dim));
  fill(p.v, 1 / static_cast<double>(hidden));

  const Index row = p.key_dim();
  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      // No projection makes a score larger than Σ |v|: only v does.
      for (float& x : p.v) x *= 100;
      break;
    case ladder::Hardness::equal_keys:
      for (Index i = row; i < static_cast<Index>(p.key.size()); ++i) p.key.data()[i] = p.key.data()[i % row];
      break;
    case ladder::Hardness::outlier:
      for (Index i = 0; i < row; ++i) p.key.data()[(p.keys() - 1) * row + i] *= 100;
      break;
    case ladder::Hardness::tiny:
      for (float& x : p.query) x *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      for (float& x : p.key) x *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      break;
  }
  return p;
}

Problem take_queries(const Problem& p, std::span<const Index> rows) {
  Problem part = p;
  part.query = tensor::empty<2>({rows.size(), size(p.query_dim())});
  float* to = part.query.data();
  for (const Index row : rows) to = std::copy_n(p.query.data() + row * p.query_dim(), p.query_dim(), to);
  return part;
}

ladder::Cost cost(const Problem& p) {
  const auto number = [](Index n) { return static_cast<double>(n); };
  const double pairs = number(p.queries()) * number(p.keys());
  const double hidden = number(p.hidden());
  const double projections = hidden * (number(p.queries()) * number(p.query_dim()) + number(p.keys()) * number(p.key_dim()));
  const double inputs = number(p.queries()) * number(p.query_dim()) +
                        number(p.keys()) * (number(p.key_dim()) + number(p.value_dim())) +
                        hidden * (number(p.query_dim()) + number(p.key_dim()) + 1);
  const double rows = number(p.queries()) + number(p.keys());
  return {// The cheapest way known (rung 8): for each pair and hidden unit a multiply-add for the denominator, a multiply-add and a
          // multiplication to bring it to one fraction with others.
          .flops = pairs * (5 * hidden + 2 * number(p.value_dim())) + 2 * projections,
          .bytes = 4 * (inputs + number(p.queries()) * (number(p.value_dim()) + 1)),
          // One for each projection, and those of the softmax.
          .exps = pairs + rows * hidden,
          // As many may share one as float32's range allows; 16 do.
          .reciprocals = pairs * hidden / 16};
}

}  // namespace attention::additive
