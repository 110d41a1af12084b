#include <algorithm>

#include "backward.hpp"
#include "dot_product.hpp"
#include "numerics/random.hpp"

namespace attention::dot_product {

namespace {

/// First i in 0 … n for which `holds(i)` is false, where it is true up to some i and false from there on.
template <class Holds>
Index first_not(Index n, Holds holds) {
  Index low = 0;
  while (low < n) {
    const Index middle = low + (n - low) / 2;
    if (holds(middle))
      low = middle + 1;
    else
      n = middle;
  }
  return low;
}

}  // namespace

void prepare(const BackwardProblem& p, BackwardOutput& out) {
  const auto fit = [](Tensor<4>& gradient, const Tensor<4>& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = Tensor<4>(of.shape());
  };
  fit(out.query_gradient, p.query);
  fit(out.key_gradient, p.key);
  fit(out.value_gradient, p.value);
}

QueryRange queries_of(const Mask& mask, Index key, Index queries, Index keys) {
  const Index first = first_not(queries, [&](Index i) { return mask.keys_of(i, keys).last <= key; });
  return {first,
          std::max(first, first_not(queries, [&](Index i) { return mask.keys_of(i, keys).first <= key; }))};
}

void run_forward(BackwardProblem& p) {
  p.output =
      tensor::empty<4>({p.query.shape()[0], p.query.shape()[1], p.query.shape()[2], p.value.shape()[3]});
  p.lse = tensor::empty<3>({p.query.shape()[0], p.query.shape()[1], p.query.shape()[2]});
  FusedProblem f;
  f.batch = p.batch();
  f.heads = f.key_heads = p.heads();
  f.queries = p.queries();
  f.keys = p.keys();
  f.dim = p.dim();
  f.value_dim = p.value_dim();
  f.query = rows_of(std::as_const(p.query).data(), f.heads, f.queries, f.dim);
  f.key = rows_of(std::as_const(p.key).data(), f.heads, f.keys, f.dim);
  f.value = rows_of(std::as_const(p.value).data(), f.heads, f.keys, f.value_dim);
  f.output = rows_of(p.output.data(), f.heads, f.queries, f.value_dim);
  f.lse = p.lse.data();
  f.scale = p.scale;
  f.mask = p.mask;
  fused_attention(f);
}

BackwardProblem make_backward(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  const ladder::Shape forward_shape = ladder::parse_shape(
      shape.text(), mechanism().keys);
  Problem forward = make(forward_shape, seed, hardness);
  BackwardProblem p;
  p.query = std::move(forward.query);
  p.key = std::move(forward.key);
  p.value = std::move(forward.value);
  p.scale = forward.scale;
  p.mask = forward.mask;
  run_forward(p);
  p.output_gradient = Tensor<4>(p.output.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  return p;
}

ladder::Cost cost(const BackwardProblem& p) {
  const auto heads = static_cast<double>(p.all_heads());
  const auto queries = static_cast<double>(p.queries());
  const auto keys = static_cast<double>(p.keys());
  const auto dim = static_cast<double>(p.dim());
  const auto value_dim = static_cast<double>(p.value_dim());
  const double pairs = heads * visible_pairs(p);
  return {.flops = pairs * 2 * (3 * dim + 2 * value_dim),
          .bytes = 4 * heads * (queries * (2 * dim + 2 * value_dim + 1) + keys * 2 * (dim + value_dim)),
          .exps = pairs,
          .reciprocals = 0};
}

}  // namespace attention::dot_product
