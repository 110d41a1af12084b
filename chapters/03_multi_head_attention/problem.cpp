#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "multi_head.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "rungs/projections.hpp"

namespace attention::multi_head {

namespace {
}  // namespace

void prepare(const Problem& p, Output& out) {
  const std::array shape{size(p.batch()), size(p.queries()), size(p.width())};
  if (!std::ranges::equal(out.output.shape(), shape)) out.output = tensor::empty<3>(shape);
}

void expect_sizes(const char* name, const Tensor<3>& t, Index a, Index b, Index c) {
  if (tensor::extent(t, 0) != a || tensor::extent(t, 1) != b || tensor::extent(t, 2) != c)
    throw program::UserError(fmt::format("{} is [{}, {}, {}]; the input and W_Q ask for [{}, {}, {}]", name, tensor::extent(t, 0),
                                         tensor::extent(t, 1), tensor::extent(t, 2), a, b, c));
}

Problem make(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  numerics::Random random(seed);
  const Index width = shape["width"];
  const Index key_heads = shape["key_heads"];
  const Index heads = key_heads * shape["group"];
  const Index dim = shape["dim"];
  const auto filled = [&random](Index a, Index b, Index c, Index terms) {
    auto tensor = tensor::empty<3>({size(a), size(b), size(c)});
    const float factor = 1 / std::sqrt(static_cast<float>(terms));
    for (float& x : tensor) x = random.normal() * factor;
    return tensor;
  };
  Problem p;
  if (shape["causal"] > 1)
    throw program::UserError(fmt::format("shape: causal={} is neither 0 nor 1; give 1 for a causal mask, 0 for none", shape["causal"]));
  p.causal = shape["causal"] == 1;
  p.input = filled(shape["batch"], shape["n"], width, 1);
  p.W_Q = filled(heads, width, dim, width);
  p.W_K = filled(key_heads, width, dim, width);
  p.W_V = filled(key_heads, width, dim, width);
  p.W_O = filled(heads, dim, width, heads * dim);

  const Index rows = p.batch() * p.n();
  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& x : p.W_Q) x *= 50;
      break;
    case ladder::Hardness::equal_keys:
      for (Index i = 1; i < rows; ++i) std::copy_n(p.input.data(), width, p.input.data() + i * width);
      break;
    case ladder::Hardness::outlier:
      for (Index b = 1; b <= p.batch(); ++b)
        for (Index c = 0; c < width; ++c) p.input.data()[(b * p.n() - 1) * width + c] *= 30;
      break;
    case ladder::Hardness::tiny:
      for (float& x : p.input) x *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      break;
  }
  return p;
}

Problem take_rows(const Problem& p, std::span<const Index> rows) {
  Problem part = p;
  part.rows.clear();
  for (const Index i : rows) part.rows.push_back(p.row(i));
  if (p.sampled()) return part;
  const Projections all = project(p);
  const std::array shape{size(p.batch()), size(p.key_heads()), size(p.n()), size(p.dim())};
  part.key = tensor::empty<4>(shape);
  part.value = tensor::empty<4>(shape);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index g = 0; g < p.key_heads(); ++g)
      for (Index j = 0; j < p.n(); ++j) {
        const Index to = ((b * p.key_heads() + g) * p.n() + j) * p.dim();
        std::copy_n(all.key(b, g, j), p.dim(), part.key.data() + to);
        std::copy_n(all.value(b, g, j), p.dim(), part.value.data() + to);
      }
  return part;
}

ladder::Cost cost(const Problem& p) {
  const auto number = [](Index n) { return static_cast<double>(n); };
  const double batch = number(p.batch());
  const double pairs = dot_product::visible_pairs(p);
  const double queries = number(p.queries());
  const double width = number(p.width());
  const double all = number(p.heads() * p.dim());
  const double keys = number(p.key_heads() * p.dim());
  return {.flops = 2 * batch * (queries * (width * all + 2 * width * keys + all * width) + 2 * pairs * all),
          .bytes = 4 * (2 * batch * queries * width + 2 * width * (all + keys)),
          .exps = batch * number(p.heads()) * pairs,
          .reciprocals = 0};
}

}  // namespace attention::multi_head
