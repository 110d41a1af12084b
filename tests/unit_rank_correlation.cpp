// Rank correlations and measures of distributions, against values worked out by hand.
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "numerics/distribution.hpp"
#include "numerics/rank_correlation.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;
using numerics::kendall_tau;
using numerics::spearman_rho;
using List = std::vector<double>;

TEST_CASE("rank correlations of orders that can be counted by hand", "[numerics][ranks]") {
  const List up{1, 2, 3, 4}, down{9, 7, 5, 1};
  CHECK(*kendall_tau(up, up) == 1);
  CHECK(*kendall_tau(up, down) == -1);
  CHECK(*spearman_rho(up, down) == Approx(-1));
  // 1 2 3 4 against 1 3 2 4: five pairs agree, one does not. Σ d² = 2, so ρ = 1 − 6·2 / (4·15).
  const List exchanged{10, 30, 20, 40};
  CHECK(*kendall_tau(up, exchanged) == Approx(4.0 / 6));
  CHECK(*spearman_rho(up, exchanged) == Approx(0.8));
  // Ties: 1 2 2 3 against 1 2 3 4 has 5 pairs in order and 1 tied: 5 / √(5 · 6). Ranks 1, 2.5, 2.5, 4.
  const List tied{1, 2, 2, 3};
  CHECK(*kendall_tau(tied, up) == Approx(5 / std::sqrt(30.0)));
  CHECK(*spearman_rho(tied, up) == Approx(4.5 / std::sqrt(4.5 * 5)));
  // A rank is all that counts.
  CHECK(*kendall_tau(up, List{-1e300, 0, 1e-300, std::numeric_limits<double>::infinity()}) == 1);
}

TEST_CASE("a rank correlation of nothing to order has no value, and NaN is refused", "[numerics][ranks]") {
  for (const auto correlation : {kendall_tau, spearman_rho}) {
    CHECK_FALSE(correlation(List{}, List{}));
    CHECK_FALSE(correlation(List{1}, List{2}));
    CHECK_FALSE(correlation(List{5, 5, 5}, List{1, 2, 3}));
    CHECK_FALSE(correlation(List{1, 2, 3}, List{5, 5, 5}));
    CHECK_THROWS_AS(correlation(List{1, 2}, List{1}), std::invalid_argument);
    const List bad{1, std::nan(""), 3}, good{1, 2, 3};
    CHECK(refusal([&] { correlation(bad, good); }) == "rank correlation: value 2 of 3 is not a number");
    CHECK(refusal([&] { correlation(good, bad); }) == "rank correlation: value 2 of 3 is not a number");
  }
}

TEST_CASE("entropy, divergence and variation of distributions", "[numerics]") {
  using Weights = std::vector<double>;
  const auto entropy = [](const Weights& p) { return numerics::entropy_in_bits(std::span(p)); };
  CHECK(entropy({1, 0, 0}) == 0);
  CHECK(entropy({0.25, 0.25, 0.25, 0.25}) == Approx(2));
  CHECK(entropy({0.5, 0.25, 0.25}) == Approx(1.5));
  CHECK(entropy({}) == 0);
  const Weights one{1, 0}, other{0, 1}, even{0.5, 0.5};
  const auto apart = [](const Weights& p, const Weights& q) {
    return numerics::jensen_shannon_in_bits(std::span(p), std::span(q));
  };
  CHECK(apart(one, one) == 0);
  CHECK(apart(one, other) == Approx(1));
  CHECK(apart(one, even) == Approx(0.5 * std::log2(4.0 / 3) + 0.25 * std::log2(2.0 / 3) + 0.25));
  CHECK(numerics::total_variation(std::span(one), std::span(even)) == Approx(0.5));
  CHECK(numerics::total_variation(std::span(one), std::span(other)) == 1);
  CHECK_THROWS_AS(apart(one, {1}), std::invalid_argument);
}
