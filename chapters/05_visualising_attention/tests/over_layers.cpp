// Rollout and flow, against networks that can be worked out by hand.
#include "over_layers.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "numerics/random.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;
using namespace attention::visualising;

namespace {

Matrix matrix(std::size_t n, const std::vector<double>& values) {
  Matrix m = tensor::empty<2, double>({n, n});
  std::copy(values.begin(), values.end(), m.data());
  return m;
}

/// Rows that sum to 1, drawn from `seed`.
Matrix any(std::size_t n, std::uint64_t seed) {
  numerics::Random random(seed);
  Matrix m = tensor::empty<2, double>({n, n});
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += m(i, j) = std::exp(2 * static_cast<double>(random.normal()));
    for (std::size_t j = 0; j < n; ++j) m(i, j) /= sum;
  }
  return m;
}

/// Every way of cutting the network in two: the largest flow is the narrowest cut (Ford and Fulkerson 1956).
double narrowest_cut(const std::vector<Matrix>& layers, std::size_t i, std::size_t j) {
  const std::size_t n = layers[0].shape()[0], places = n * (layers.size() + 1);
  const std::size_t source = layers.size() * n + i, sink = j;
  double least = HUGE_VAL;
  for (std::size_t set = 0; set < (std::size_t{1} << places); ++set) {
    const auto in = [&](std::size_t place) { return (set >> place & 1) != 0; };
    if (!in(source) || in(sink)) continue;
    double across = 0;
    for (std::size_t l = 0; l < layers.size(); ++l)
      for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = 0; b < n; ++b)
          if (in((l + 1) * n + a) && !in(l * n + b)) across += layers[l](a, b);
    least = std::min(least, across);
  }
  return least;
}

}  // namespace

TEST_CASE("the residual connection is half of each layer", "[visualising]") {
  auto weights = tensor::empty<4>({1, 2, 2, 2});
  // Two heads: (1, 0; 0.5, 0.5) and (0, 1; 0.5, 0.5), mean (0.5, 0.5; 0.5, 0.5).
  const std::vector<float> values{1, 0, 0.5F, 0.5F, 0, 1, 0.5F, 0.5F};
  std::copy(values.begin(), values.end(), weights.data());
  const std::vector<Matrix> layers = with_residual(weights);
  REQUIRE(layers.size() == 1);
  CHECK(layers[0](0, 0) == Approx(0.75));
  CHECK(layers[0](0, 1) == Approx(0.25));
  CHECK(layers[0](1, 0) == Approx(0.25));
  // A row that is masked as a whole stands for itself.
  weights.fill(0);
  CHECK(with_residual(weights)[0](1, 1) == 1);
  CHECK(with_residual(weights)[0](1, 0) == 0);
}

TEST_CASE("what has no rollout is refused in one line", "[visualising]") {
  CHECK(refusal([] { with_residual(tensor::empty<4>({1, 1, 2, 3})); }) ==
        "rollout and flow are of self-attention: 2 queries look at 3 keys here");
  auto weights = tensor::empty<4>({1, 1, 1, 1});
  weights.fill(std::numeric_limits<float>::quiet_NaN());
  CHECK(refusal([&] { with_residual(weights); }) == "the weight of layer 1, head 1, query 1, key 1 is not a number");
  CHECK_THROWS_AS(rollout({}), std::invalid_argument);
  CHECK_THROWS_AS(flow({}), std::invalid_argument);
  const Matrix large = any(most_positions_of_flow + 1, 1);
  CHECK(says(refusal([&] { flow({large, large, large}); }), {"3 layers", "64", "65"}));
}

TEST_CASE("rollout is the product of the layers, the last on the left", "[visualising]") {
  const Matrix first = matrix(2, {1, 0, 0.5, 0.5}), second = matrix(2, {0.25, 0.75, 0, 1});
  const std::vector<Matrix> found = rollout({first, second});
  REQUIRE(found.size() == 2);
  CHECK(found[0](1, 0) == 0.5);
  // (0.25, 0.75; 0, 1) · (1, 0; 0.5, 0.5)
  CHECK(found[1](0, 0) == Approx(0.625));
  CHECK(found[1](0, 1) == Approx(0.375));
  CHECK(found[1](1, 0) == Approx(0.5));
  // Rows of weights stay rows of weights; one token is all there is; equal weights stay equal.
  const Matrix deep = rollout({any(7, 1), any(7, 2), any(7, 3)}).back();
  for (std::size_t i = 0; i < 7; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 7; ++j) sum += deep(i, j);
    CHECK(sum == Approx(1).epsilon(1e-12));
  }
  CHECK(rollout({matrix(1, {1}), matrix(1, {1})}).back()(0, 0) == 1);
  const Matrix even = matrix(2, {0.5, 0.5, 0.5, 0.5});
  CHECK(rollout({even, even}).back()(0, 1) == 0.5);
}

TEST_CASE("the flow through a layer, two layers and the narrowest place", "[visualising]") {
  const Matrix first = matrix(2, {0.9, 0.1, 0.4, 0.6}), second = matrix(2, {0.3, 0.7, 0.5, 0.5});
  CHECK(flow({first})(1, 0) == 0.4);
  const Matrix two = flow({first, second});
  CHECK(two(0, 0) == Approx(0.3 + 0.4));  // min(0.3, 0.9) + min(0.7, 0.4)
  CHECK(two(0, 1) == Approx(0.1 + 0.6));
  CHECK(two(1, 0) == Approx(0.5 + 0.4));
  CHECK(flow({matrix(1, {1}), matrix(1, {1}), matrix(1, {1})})(0, 0) == 1);
  // A third layer that hands everything on changes nothing.
  const Matrix same = matrix(2, {1, 0, 0, 1});
  for (std::size_t at = 0; at < 3; ++at) {
    std::vector<Matrix> layers{first, second};
    layers.insert(layers.begin() + static_cast<std::ptrdiff_t>(at), same);
    const Matrix three = flow(layers);
    for (std::size_t c = 0; c < 4; ++c) CHECK(three.data()[c] == Approx(two.data()[c]));
  }
}

TEST_CASE("the flow through three layers is the narrowest cut", "[visualising]") {
  const std::vector<Matrix> layers{any(3, 4), any(3, 5), any(3, 6)};
  const Matrix found = flow(layers);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) CHECK(found(i, j) == Approx(narrowest_cut(layers, i, j)).epsilon(1e-12));
  const std::vector<Matrix> two{any(4, 7), any(4, 8)};
  CHECK(flow(two)(2, 1) == Approx(narrowest_cut(two, 2, 1)).epsilon(1e-12));
}

TEST_CASE("a flow turns back where it must", "[visualising]") {
  // The shortest way, 0-1-2-3, has to give its middle edge back to the two that are longer: 0-4-5-2-3 and 0-1-6-7-3.
  FlowNetwork network(8);
  for (const auto& [from, to] : {std::pair{0, 1}, {1, 2}, {2, 3}, {0, 4}, {4, 5}, {5, 2}, {1, 6}, {6, 7}, {7, 3}})
    network.add(static_cast<std::size_t>(from), static_cast<std::size_t>(to), 1);
  CHECK(network.largest_flow(0, 3) == 2);
  FlowNetwork apart(3);
  apart.add(0, 1, 5);
  CHECK(apart.largest_flow(0, 2) == 0);
}
