// What e^2a · e^2b must survive: projections of opposite signs, sums near 0, products that leave float32's range.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "additive.hpp"
#include "catch.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "rungs/factorised_scores.hpp"
#include "rungs/rungs.hpp"

using namespace attention;
using namespace attention::additive;

namespace {

/// W and U are the identity, so that the projections are the rows and hold no rounding: a_ih = query, b_jh = key.
Problem identity(Index queries, Index keys, Index hidden, std::uint64_t seed = 5) {
  Problem p = make(ladder::Shape({{"queries", queries}, {"keys", keys}, {"hidden", hidden}, {"dim", hidden}, {"key_dim", hidden}, {"value_dim", 9}}),
                   seed, ladder::Hardness::plain);
  for (Tensor<2>* matrix : {&p.W, &p.U}) {
    std::fill(matrix->begin(), matrix->end(), 0.F);
    for (Index h = 0; h < hidden; ++h) matrix->data()[h * hidden + h] = 1;
  }
  return p;
}

/// The output's largest error as a share of the largest output, the projections being exact.
double error_of(void (*rung)(const Problem&, Output&), const Problem& p) {
  machine::use_threads(2);
  Output out;
  rung(p, out);
  const Reference exact = reference(p);
  double largest = 0;
  double size = 0;
  for (std::size_t x = 0; x < out.output.size(); ++x) {
    const double error = std::abs(static_cast<double>(out.output.data()[x]) - exact.output.data()[x]);
    if (!(error <= largest)) largest = error;
    size = std::max(size, std::abs(exact.output.data()[x]));
  }
  for (std::size_t x = 0; x < out.lse.size(); ++x) CHECK(std::abs(static_cast<double>(out.lse.data()[x]) - exact.lse.data()[x]) < 3e-6);
  return largest / size;
}

constexpr double most_error = 1e-6;

}  // namespace

TEST_CASE("factorised: projections of up to 60 with opposite signs, sums near 0", "[factorised]") {
  // Key j is the negative of query j, but for a little: tanh is neither saturated nor nothing on this diagonal.
  for (const float size : {1.F, 10.F, 19.F, 21.F, 40.F, 60.F}) {
    Problem p = identity(90, 90, 24);
    for (std::size_t x = 0; x < p.query.size(); ++x) {
      float& a = p.query.data()[x];
      a = std::clamp(a, -1.F, 1.F) * size;
      p.key.data()[x] = -a + p.key.data()[x] * 0.1F;
    }
    INFO(size);
    for (const auto rung : {additive::simd, additive::shared, additive::factorised, additive::fused}) CHECK(error_of(rung, p) < (rung == additive::shared ? 1e-5 : most_error));
  }
}

namespace {

/// The factorised scores as one writes them first. `most`: e^2a and e^2b are clamped to e^±2 most each. `sign`: of 2 v.
template <int most, int sign>
void careless(const Problem& p, Output& out) {
  prepare(p, out, true);
  const auto factor = [](float x) { return std::exp(2 * std::clamp(x, -static_cast<float>(most), static_cast<float>(most))); };
  for (Index i = 0; i < p.queries(); ++i) {
    float total = 0;
    for (Index j = 0; j < p.keys(); ++j) {
      float score = 0;
      for (Index h = 0; h < p.hidden(); ++h)
        score += p.v.data()[h] * (1 - static_cast<float>(sign) * 2 / (1 + factor(p.query.data()[i * p.hidden() + h]) * factor(p.key.data()[j * p.hidden() + h])));
      total += out.weights.data()[i * p.keys() + j] = std::exp(score);
    }
    for (Index c = 0; c < p.value_dim(); ++c) {
      float sum = 0;
      for (Index j = 0; j < p.keys(); ++j) sum += out.weights.data()[i * p.keys() + j] / total * p.value.data()[j * p.value_dim() + c];
      out.output.data()[i * p.value_dim() + c] = sum;
    }
    out.lse.data()[i] = static_cast<float>(reference(p).lse.data()[i]);
  }
}

/// Projections that cancel, of up to `size`.
Problem cancelling(float size) {
  Problem p = identity(12, 12, 8);
  for (std::size_t x = 0; x < p.query.size(); ++x) {
    float& a = p.query.data()[x];
    a = std::clamp(a, -1.F, 1.F) * size;
    p.key.data()[x] = -a + p.key.data()[x] * 0.1F;
  }
  return p;
}

}  // namespace

TEST_CASE("factorised: large projections break what does not look at them", "[factorised][broken]") {
  CHECK(error_of(careless<1000, 1>, cancelling(5)) < most_error);         // right as long as they are small
  CHECK(error_of(careless<10, 1>, cancelling(5)) < most_error);
  CHECK_FALSE(error_of(careless<1000, 1>, cancelling(60)) < most_error);  // inf · 0
  CHECK_FALSE(error_of(careless<10, 1>, cancelling(60)) < most_error);    // each side clamped
  CHECK_FALSE(error_of(careless<1000, -1>, cancelling(5)) < most_error);  // v not negated
}

TEST_CASE("factorised: one large projection among small ones, at the tiles' edges", "[factorised]") {
  for (const Index i : {0, 23, 24, 52})
    for (const Index j : {0, 63, 64, 129}) {
      Problem p = identity(53, 130, 20);
      p.query.data()[i * 20 + 3] = 60;
      p.key.data()[j * 20 + 3] = -60.25F;
      p.key.data()[j * 20 + 4] = 1e30F;
      CHECK(error_of(additive::factorised, p) < most_error);
      CHECK(error_of(additive::fused, p) < most_error);
    }
}

TEST_CASE("factorised: products of denominators that leave the range", "[factorised]") {
  // Every unit of a group is e^2(15 + 15): sixteen of them make e^960. And v of very different sizes: 1 / v in the denominators.
  Problem p = identity(30, 70, 48);
  for (float& x : p.query) x += 15;
  for (Index x = 0; x < 20 * 48; ++x) p.key.data()[x] += 15;
  for (Index x = 20 * 48; x < 40 * 48; ++x) p.key.data()[x] -= 15;
  CHECK(error_of(additive::factorised, p) < most_error);
  CHECK(error_of(additive::fused, p) < most_error);
  for (Index h = 0; h < 48; ++h) p.v.data()[h] = std::ldexp(p.v.data()[h], static_cast<int>(-(h % 12) * 6));
  CHECK(error_of(additive::factorised, p) < most_error);
  for (const float v : {0.F, -0.F, 1e-45F, 1e-38F}) {
    std::fill(p.v.begin(), p.v.end(), v);
    CHECK(error_of(additive::fused, p) < most_error);
  }
  p = identity(30, 70, 48);
  for (float& v : p.v) v = std::ldexp(v, -60);
  CHECK(error_of(additive::fused, p) < most_error);
}

TEST_CASE("factorised: small tanhs and denormal projections", "[factorised]") {
  for (const float size : {1e-3F, 1e-10F, 1e-39F}) {
    Problem p = identity(25, 65, 17);
    for (float& x : p.query) x *= size;
    for (float& x : p.key) x *= size;
    CHECK(error_of(additive::factorised, p) < most_error);
    CHECK(error_of(additive::fused, p) < most_error);
  }
}

TEST_CASE("factorised: e^2x to 1.5 units in the last place, reciprocals to 2", "[factorised]") {
  double largest = 0;
  double largest_reciprocal = 0;
  for (float x = -most_projection; x <= most_projection; x += 0.00037F) {
    const double exact = std::exp(2 * static_cast<double>(x));
    largest = std::max(largest, std::abs(static_cast<double>(exp_twice(simd::broadcast(x))[0]) / exact - 1));
    const auto d = static_cast<float>(exact);
    largest_reciprocal = std::max(largest_reciprocal, std::abs(static_cast<double>(reciprocal(simd::broadcast(d))[0]) * static_cast<double>(d) - 1));
  }
  CHECK(largest <= 1.5 * 0x1p-23);
  CHECK(largest_reciprocal <= 2 * 0x1p-23);
  CHECK(std::isnan(reciprocal(simd::broadcast(std::numeric_limits<float>::infinity()))[0]));
}
