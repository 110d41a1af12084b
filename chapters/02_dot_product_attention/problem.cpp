#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dot_product.hpp"
#include "numerics/random.hpp"

namespace attention::dot_product {

namespace {

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

}  // namespace

void prepare(const Problem& p, Output& out, bool store_weights) {
  const std::array output{size(p.batch()), size(p.heads()), size(p.queries()), size(p.value_dim())};
  const std::array lse{output[0], output[1], output[2]};
  const std::array weights{output[0], output[1], output[2], size(p.keys())};
  if (!std::ranges::equal(out.output.shape(), output)) out.output = tensor::empty<4>(output);
  if (!std::ranges::equal(out.lse.shape(), lse)) out.lse = tensor::empty<3>(lse);
  if (!store_weights)
    out.weights = Tensor<4>();
  else if (!std::ranges::equal(out.weights.shape(), weights))
    out.weights = tensor::empty<4>(weights);
}

Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  numerics::Random random(seed);
  const auto fill = [&random](Tensor<4>& tensor) {
    for (float& x : tensor) x = random.normal();
  };
  const auto batch = size(shape["batch"]);
  const auto heads = size(shape["heads"]);
  Problem p;
  p.query = tensor::empty<4>({batch, heads, size(shape["queries"]), size(shape["dim"])});
  p.key = tensor::empty<4>({batch, heads, size(shape["keys"]), size(shape["dim"])});
  p.value = tensor::empty<4>({batch, heads, size(shape["keys"]), size(shape["value_dim"])});
  p.scale = 1 / std::sqrt(static_cast<float>(p.dim()));
  fill(p.query);
  fill(p.key);
  fill(p.value);

  const Index row = p.dim();
  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& x : p.query) x *= 50;
      break;
    case ladder::Hardness::equal_keys:
      for (Index i = row; i < static_cast<Index>(p.key.size()); ++i) p.key.data()[i] = p.key.data()[i % row];
      break;
    case ladder::Hardness::outlier:
      // The last key of every head outweighs the others: a running maximum must correct all that came before.
      for (Index head = 0; head < p.batch() * p.heads(); ++head)
        for (Index i = 0; i < row; ++i) p.key.data()[((head + 1) * p.keys() - 1) * row + i] *= 30;
      break;
    case ladder::Hardness::tiny:
      for (float& x : p.query) x *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      break;
  }
  return p;
}

Problem take_queries(const Problem& p, std::span<const Index> rows) {
  Problem part;
  part.query = tensor::empty<4>({size(p.batch()), size(p.heads()), rows.size(), size(p.dim())});
  part.key = p.key;
  part.value = p.value;
  part.scale = p.scale;
  float* to = part.query.data();
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (const Index row : rows) to = std::copy_n(p.query_of(b, h) + row * p.dim(), p.dim(), to);
  return part;
}

ladder::Cost cost(const Problem& p) {
  const double heads = static_cast<double>(p.batch() * p.heads());
  const double queries = static_cast<double>(p.queries());
  const double keys = static_cast<double>(p.keys());
  const double dim = static_cast<double>(p.dim());
  const double value_dim = static_cast<double>(p.value_dim());
  return {.flops = heads * queries * keys * 2 * (dim + value_dim),
          .bytes = 4 * heads * (queries * (dim + value_dim + 1) + keys * (dim + value_dim)),
          .exps = heads * queries * keys,
          .reciprocals = 0};
}

}  // namespace attention::dot_product
