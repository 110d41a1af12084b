#include <cmath>
#include <vector>

#include "catch.hpp"
#include "numerics/hash.hpp"
#include "numerics/naive_bayes.hpp"

namespace {

using namespace attention::numerics;

TEST_CASE("naive Bayes: a worked example", "[unit]") {
  // Four texts of two classes over six words: Chinese 0, Beijing 1, Shanghai 2, Macao 3, Tokyo 4, Japan 5 (Manning, Raghavan and
  // Schütze, "Introduction to Information Retrieval", 2008, example 13.1).
  NaiveBayes bayes(2, 6);
  bayes.add(std::vector{0, 1, 0}, 0);
  bayes.add(std::vector{0, 0, 2}, 0);
  bayes.add(std::vector{0, 3}, 0);
  bayes.add(std::vector{4, 5, 0}, 1);
  const std::vector text{0, 0, 0, 4, 5};
  const auto scores = bayes.scores(text);
  // 3/4 · (3/7)³ · 1/14 · 1/14 and 1/4 · (2/9)³ · 2/9 · 2/9
  CHECK(std::abs(scores[0] - std::log(0.75 * 27 / 343 / 196)) < 1e-12);
  CHECK(std::abs(scores[1] - std::log(0.25 * 8 / 729 * 4 / 81)) < 1e-12);
  CHECK(bayes.classify(text) == 0);
  CHECK(bayes.classify(std::vector{4, 5}) == 1);
  // A word that it does not know changes nothing.
  CHECK(bayes.scores(std::vector{0, 0, 0, 4, 5, 6, -1}) == scores);
  CHECK(bayes.classify(std::vector<int>{}) == 0);
}

TEST_CASE("naive Bayes refuses what makes no sense", "[unit]") {
  NaiveBayes bayes(2, 3);
  CHECK_THROWS_AS(bayes.classify(std::vector{0}), std::logic_error);
  CHECK_THROWS_AS(bayes.add(std::vector{0}, 2), std::out_of_range);
  CHECK_THROWS_AS(bayes.add(std::vector{0}, -1), std::out_of_range);
  bayes.add(std::vector{0}, 1);
  CHECK(std::isinf(bayes.scores(std::vector{0})[0]));
  CHECK(bayes.classify(std::vector{2}) == 1);
  CHECK_THROWS_AS(NaiveBayes(0, 1), std::invalid_argument);
  CHECK_THROWS_AS(NaiveBayes(1, 0), std::invalid_argument);
  CHECK_THROWS_AS(NaiveBayes(1, 1, 0), std::invalid_argument);
}

TEST_CASE("the hash of a text is the same everywhere, and its upper bits are even", "[unit]") {
  Fnv1a sum;
  CHECK(sum.value() == 0xCBF29CE484222325ULL);
  sum.add("a", 1);
  CHECK(sum.value() == 0xAF63DC4C8601EC8CULL);  // the published value for "a"
  int upper = 0;
  for (int i = 0; i < 10'000; ++i) upper += hash_of("word" + std::to_string(i)) >> 63U ? 1 : 0;
  CHECK(std::abs(upper - 5'000) < 5 * 50);  // five standard deviations
}

}  // namespace
