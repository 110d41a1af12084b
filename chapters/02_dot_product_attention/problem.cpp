#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dot_product.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "tensor/make_room.hpp"

namespace attention::dot_product {

namespace {

Mask mask_of(const ladder::Shape& shape) {
  const Index causal = shape["causal"];
  if (causal > 1) throw program::UserError(fmt::format("shape: causal={} is neither 0 nor 1; give 1 for a causal mask, 0 for none", causal));
  return Mask::of(causal == 1, shape["window"], shape["queries"], shape["keys"]);
}

/// The tensor in 16 bits; its float32 values become what these hold.
TensorOf<std::uint16_t, 4> store(Tensor<4>& tensor, simd::Storage storage) {
  auto stored = tensor::empty<4, std::uint16_t>({tensor.shape()[0], tensor.shape()[1], tensor.shape()[2], tensor.shape()[3]});
  for (std::size_t i = 0; i < tensor.size(); ++i) {
    float& x = tensor.data()[i];
    stored.data()[i] = simd::to_bits(storage, x);
    x = simd::widen(storage, stored.data()[i]);
  }
  return stored;
}

}  // namespace

void prepare(const Problem& p, Output& out, bool store_weights) {
  const std::array output{size(p.batch()), size(p.heads()), size(p.queries()), size(p.value_dim())};
  const std::array lse{output[0], output[1], output[2]};
  const std::array weights{output[0], output[1], output[2], size(p.keys())};
  if (!std::ranges::equal(out.output.shape(), output)) out.output = tensor::empty<4>(output);
  if (!std::ranges::equal(out.lse.shape(), lse)) out.lse = tensor::empty<3>(lse);
  tensor::make_room(store_weights, weights, out.weights, out.spare_weights);
}

Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  numerics::Random random(seed);
  const auto fill = [&random](Tensor<4>& tensor) {
    for (float& x : tensor) x = random.normal();
  };
  const auto batch = size(shape["batch"]);
  const auto heads = size(shape["heads"]);
  const auto key_heads = size(shape["kv_heads"]);
  if (heads % key_heads != 0)
    throw program::UserError(fmt::format("shape: kv_heads={} does not divide heads={}; each must serve as many", key_heads, heads));
  Problem p;
  p.query = tensor::empty<4>({batch, heads, size(shape["queries"]), size(shape["dim"])});
  p.key = tensor::empty<4>({batch, key_heads, size(shape["keys"]), size(shape["dim"])});
  p.value = tensor::empty<4>({batch, key_heads, size(shape["keys"]), size(shape["value_dim"])});
  p.mask = mask_of(shape);
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
      for (Index head = 0; head < p.batch() * p.key_heads(); ++head)
        for (Index i = 0; i < row; ++i) p.key.data()[((head + 1) * p.keys() - 1) * row + i] *= 30;
      break;
    case ladder::Hardness::tiny:
      for (float& x : p.query) x *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      break;
  }
  p.storage = static_cast<simd::Storage>(shape["kv_dtype"]);
  if (p.storage != simd::Storage::float32) {
    p.key16 = store(p.key, p.storage);
    p.value16 = store(p.value, p.storage);
  }
  return p;
}

std::vector<ladder::Setting> settings() {
  return {{"scale", "factor on every score", -1e30, 1e30, false, "1/sqrt(dim)"},
          {"causal", "1: no query sees a later key; the last query stands beside the last key", 0, 1},
          {"window", "a query sees the keys less than this away; 0: all", 0, 1e15}};
}

float scale_of(const ladder::Inputs& inputs, Index dim) {
  return static_cast<float>(inputs.setting("scale", 1 / std::sqrt(static_cast<float>(dim))));
}

Mask mask_of(const ladder::Inputs& inputs, Index queries, Index keys) {
  return Mask::of(inputs.setting("causal", 0) == 1, inputs.whole_setting("window", 0), queries, keys);
}

Problem take_queries(const Problem& p, std::span<const Index> rows) {
  Problem part;
  part.query = tensor::empty<4>({size(p.batch()), size(p.heads()), rows.size(), size(p.dim())});
  part.key = p.key;
  part.value = p.value;
  part.scale = p.scale;
  part.mask = p.mask;
  for (const Index row : rows) part.positions.push_back(p.positions.empty() ? row : p.positions[size(row)]);
  part.storage = p.storage;
  part.key16 = p.key16;
  part.value16 = p.value16;
  float* to = part.query.data();
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (const Index row : rows) to = std::copy_n(p.query_of(b, h) + row * p.dim(), p.dim(), to);
  return part;
}

ladder::Cost cost(const Problem& p) {
  const KeyRange seen = p.keys_of_block(0, p.queries());
  const double heads = static_cast<double>(p.batch() * p.heads());
  const double queries = static_cast<double>(p.queries());
  const double pairs = visible_pairs(p);
  const double stored_keys = static_cast<double>(p.batch() * p.key_heads() * seen.last - p.batch() * p.key_heads() * seen.first);
  const double width = static_cast<double>(simd::bytes_of(p.storage));
  const double dim = static_cast<double>(p.dim());
  const double value_dim = static_cast<double>(p.value_dim());
  return {.flops = heads * pairs * 2 * (dim + value_dim),
          .bytes = 4 * heads * queries * (dim + value_dim + 1) + width * stored_keys * (dim + value_dim),
          .exps = heads * pairs,
          .reciprocals = 0};
}

}  // namespace attention::dot_product
