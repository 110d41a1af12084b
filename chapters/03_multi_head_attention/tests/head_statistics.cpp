// What is said about the maps of heads, on maps whose answers are known.
#include "head_statistics.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "numerics/random.hpp"

using namespace attention;
using multi_head::Look;
using multi_head::LookStatistics;

namespace {

constexpr double rounding = 1e-6;  // of weights in float32

tensor::Tensor<2> map_of(std::size_t n, const std::vector<std::size_t>& looks_at) {
  auto map = tensor::empty<2>({n, n});
  map.fill(0);
  for (std::size_t i = 0; i < n; ++i) map.data()[i * n + looks_at[i]] = 1;
  return map;
}

tensor::Tensor<2> uniform(std::size_t n) {
  auto map = tensor::empty<2>({n, n});
  map.fill(1.F / static_cast<float>(n));
  return map;
}

tensor::Tensor<2> any_map(std::size_t n, std::uint64_t seed) {
  numerics::Random random(seed);
  auto map = tensor::empty<2>({n, n});
  for (std::size_t i = 0; i < n; ++i) {
    float* row = map.data() + i * n;
    float sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += row[j] = std::exp(2 * random.normal());
    for (std::size_t j = 0; j < n; ++j) row[j] /= sum;
  }
  return map;
}

Look look(const tensor::Tensor<2>& map, const std::vector<bool>& marked) {
  LookStatistics statistics;
  statistics.add(map, marked);
  return statistics.mean();
}

}  // namespace

TEST_CASE("where a head looks", "[heads]") {
  const std::vector<bool> marked{false, false, true, true};
  // Every query looks at the key before it, the first at itself.
  const Look before = look(map_of(4, {0, 0, 1, 2}), marked);
  CHECK(before.distance == Approx(0.75));
  CHECK(before.entropy == 0);
  CHECK(before.self == Approx(0.25));
  CHECK(before.previous == Approx(1));
  CHECK(before.next == 0);
  CHECK(before.first == Approx(0.5));
  CHECK(before.last == 0);
  CHECK(before.marked == Approx(0.25));
  const Look after = look(map_of(4, {1, 2, 3, 3}), marked);
  CHECK(after.next == Approx(1));
  CHECK(after.previous == 0);
  CHECK(after.last == Approx(0.5));
  CHECK(after.marked == Approx(0.75));
  const Look all = look(uniform(4), marked);
  CHECK(all.entropy == Approx(2));
  CHECK(all.distance == Approx((6 + 4 + 4 + 6) / 16.0));
  for (const double share : {all.self, all.previous, all.next, all.first, all.last})
    CHECK(share == Approx(0.25));

  // Over several sequences every query counts the same.
  LookStatistics both;
  both.add(map_of(4, {0, 1, 2, 3}), {false, false, false, false});
  both.add(uniform(1), {true});
  both.add(map_of(2, {1, 0}), {false, true});
  CHECK(both.mean().self == Approx(5.0 / 7));
  CHECK(both.mean().previous == Approx(1.0 / 4));
  CHECK(both.mean().marked == Approx(2.0 / 7));
  CHECK(LookStatistics().mean().self == 0);
  CHECK_THROWS_AS(both.add(uniform(2), {true}), std::invalid_argument);
  CHECK_THROWS_AS(both.add(tensor::empty<2>({2, 3}), {true, true}), std::invalid_argument);
}

TEST_CASE("two heads are 0 to 1 bit apart, either way", "[heads]") {
  CHECK(multi_head::divergence(uniform(5), uniform(5)) == Approx(0).margin(rounding));
  CHECK(multi_head::divergence(map_of(3, {0, 1, 2}), map_of(3, {1, 2, 0})) == Approx(3));  // of three queries
  // (1, 0) and (½, ½), mean (¾, ¼): ½ log₂ 4/3 + ½ (½ log₂ 2/3 + ½ log₂ 2).
  const double expected = 0.5 * std::log2(4.0 / 3) + 0.25 * std::log2(2.0 / 3) + 0.25;
  CHECK(multi_head::divergence(map_of(2, {0, 1}), uniform(2)) == Approx(2 * expected));
  const auto a = any_map(17, 1);
  const auto b = any_map(17, 2);
  CHECK(multi_head::divergence(a, a) == Approx(0).margin(rounding));
  CHECK(multi_head::divergence(a, b) == Approx(multi_head::divergence(b, a)).epsilon(1e-12));
  CHECK(multi_head::divergence(a, b) > 0.1);
  CHECK(multi_head::divergence(a, b) < 17);
  CHECK_THROWS_AS(multi_head::divergence(uniform(2), uniform(3)), std::invalid_argument);
}

TEST_CASE("order changes are counted by couples", "[heads]") {
  CHECK(multi_head::order_changes({1, 2, 3, 4}, {10, 20, 30, 40}) == 0);
  CHECK(multi_head::order_changes({1, 2, 3, 4}, {4, 3, 2, 1}) == 6);
  CHECK(multi_head::order_changes({1, 2, 3}, {1, 3, 2}) == 1);
  CHECK(multi_head::order_changes({1, 2, 3}, {1, 1, 2}) == 0);
  CHECK(multi_head::order_changes({}, {}) == 0);
  CHECK_THROWS_AS(multi_head::order_changes({1}, {}), std::invalid_argument);
}
