// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: the mask as textbooks write it. All n × n scores are computed, and those that must not count are set to −inf
// before the softmax. So the causal mask saves nothing, and a window of 256 keys among 4096 costs as much as all of them.
// And −inf makes a weight of 0, but 0 · NaN is NaN: the values of masked keys must be taken out by hand.
#include <cmath>
#include <limits>

#include "rungs/projection.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// c = a · b: row i of c is the sum over k of a_ik · (row k of b).
void product(const float* a_data, Index rows, Index depth, const float* b_data, Index columns, float* c_data) {
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  const auto a = xt::adapt(a_data, size(rows * depth), xt::no_ownership(), std::array{size(rows), size(depth)});
  const auto b = xt::adapt(b_data, size(depth * columns), xt::no_ownership(), std::array{size(depth), size(columns)});
  auto c = xt::adapt(c_data, size(rows * columns), xt::no_ownership(), std::array{size(rows), size(columns)});
  c.fill(0);
  for (std::size_t i = 0; i < size(rows); ++i) {
    auto row = xt::view(c, i, xt::all());
    for (std::size_t k = 0; k < size(depth); ++k) row += a(i, k) * xt::view(b, k, xt::all());
  }
}

/// 1 where the query sees the key, else 0: [queries × n].
Tensor<2> visible(const Problem& p) {
  auto mask = tensor::empty<2>({static_cast<std::size_t>(p.queries()), static_cast<std::size_t>(p.n())});
  mask.fill(0);
  for (Index i = 0; i < p.queries(); ++i) {
    const auto [first, last] = p.keys_of(i);
    xt::view(mask, i, xt::range(first, last)) = 1;
  }
  return mask;
}

/// −|key − query|: [queries × n].
Tensor<2> minus_distance(const Problem& p) {
  auto distance = tensor::empty<2>({static_cast<std::size_t>(p.queries()), static_cast<std::size_t>(p.n())});
  for (Index i = 0; i < p.queries(); ++i)
    xt::view(distance, i, xt::all()) = -xt::abs(xt::arange<float>(static_cast<float>(p.n())) - static_cast<float>(p.position(i)));
  return distance;
}

}  // namespace

void formula(const Problem& p, Output& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out, false);
  const Projected x = project(p, product, false);
  const Slopes slopes(p);
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  const std::array shape{size(p.batch()), size(p.n()), size(p.heads()), size(p.dim())};
  const auto keys = xt::adapt(x.key, shape[0] * shape[1] * shape[2] * shape[3], xt::no_ownership(), shape);
  const auto values = xt::adapt(x.value, shape[0] * shape[1] * shape[2] * shape[3], xt::no_ownership(), shape);
  const Tensor<2> seen = visible(p);
  const Tensor<2> distance = p.positions == Positions::linear_biases ? minus_distance(p) : Tensor<2>();

  for (std::size_t b = 0; b < shape[0]; ++b)
    for (std::size_t h = 0; h < shape[2]; ++h) {
      const Tensor<2> query = xt::view(x.query, b, all(), h);
      const Tensor<2> key = xt::view(keys, b, all(), h);
      const Tensor<2> value = xt::view(values, b, all(), h);

      // scores = Q Kᵀ / sqrt(dim) + bias
      Tensor<2> scores = static_cast<float>(p.scale()) *
                         xt::sum(xt::view(query, all(), newaxis(), all()) * xt::view(key, newaxis(), all(), all()), {2});
      if (distance.size() > 1) scores += slopes.of(static_cast<Index>(h)) * distance;
      // what is masked becomes −inf
      scores = xt::where(xt::equal(seen, 0.F), -infinity, scores);
      // weights = softmax(scores); a row without keys subtracts 0, and its weights are 0
      Tensor<1> largest = xt::amax(scores, {1});
      largest = xt::where(xt::equal(largest, -infinity), 0.F, largest);
      Tensor<2> weights = xt::exp(scores - xt::view(largest, all(), newaxis()));
      const Tensor<1> total = xt::sum(weights, {1});
      xt::view(out.lse, b, h) = largest + xt::log(total);
      weights /= xt::view(total, all(), newaxis());
      // output = weights · V over the keys that are seen
      const auto counted = xt::where(xt::equal(xt::view(seen, all(), all(), newaxis()), 0.F), 0.F,
                                     xt::view(weights, all(), all(), newaxis()) * xt::view(value, newaxis(), all(), all()));
      xt::view(out.output, b, all(), h) = xt::sum(counted, {1});
    }
}

std::size_t formula_workspace(const Problem& p) {
  // Mask, scores and weights of one head, each n × n, and the distances where they are needed.
  const Index matrices = p.positions == Positions::linear_biases ? 4 : 3;
  return projection_workspace(p) + static_cast<std::size_t>(matrices * p.queries() * p.n()) * sizeof(float);
}

}  // namespace attention::self_attention
