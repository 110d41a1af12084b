// Other weights with the same answer: gradients, and texts whose answer to that is known.
#include "adversary.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "explanation.hpp"
#include "numerics/distribution.hpp"
#include "numerics/random.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;
using namespace attention::visualising;

namespace {

std::vector<float> normals(std::size_t count, std::uint64_t seed) {
  numerics::Random random(seed);
  std::vector<float> values(count);
  for (float& v : values) v = random.normal();
  return values;
}

}  // namespace

TEST_CASE("a pooled text's answer is that of the equations", "[visualising]") {
  // Two words of one number each, two classes.
  const std::vector<float> states{1, -1}, output{2, 0, 0.5F, 0};
  const PooledText text{states, output, 2, 2};
  const std::vector<double> answer = text.answer(std::vector<double>{0.75, 0.25});
  const double score = 2 * std::tanh(0.5) + 0.5;
  CHECK(answer[0] == Approx(std::exp(score) / (std::exp(score) + 1)));
  CHECK(answer[0] + answer[1] == Approx(1));
}

TEST_CASE("the gradient of an answer is that of central differences", "[visualising][gradients]") {
  const std::vector<float> states = normals(4 * 3, 1), output = normals(4 * 5, 2);
  const PooledText text{states, output, 4, 5};
  const std::vector<double> weights{0.1, 0.2, 0.3, 0.4}, of_answer{1, -2, 0.5, 0, 3};
  const std::vector<double> gradient = text.gradient(weights, of_answer);
  for (std::size_t t = 0; t < 4; ++t) {
    const auto value = [&](double step) {
      std::vector<double> moved = weights;
      moved[t] += step;
      const std::vector<double> answer = text.answer(moved);
      double sum = 0;
      for (std::size_t c = 0; c < 5; ++c) sum += of_answer[c] * answer[c];
      return sum;
    };
    CHECK(gradient[t] == Approx((value(1e-6) - value(-1e-6)) / 2e-6).epsilon(1e-6));
  }
}

TEST_CASE("words with the same state can exchange all their weight", "[visualising]") {
  // Words 1 and 2 are the same to the model, word 3 is not: the weight of 1 can go to 2 as a whole.
  const std::vector<float> states{2, 1, 2, 1, -2, 0}, output{3, -3, 1, -1, 0, 0};
  const PooledText text{states, output, 3, 2};
  const std::vector<float> attention{0.98F, 0.01F, 0.01F};
  const Adversary found = find_adversary(text, attention, {}, 1);
  CHECK(found.divergence > 0.85);
  CHECK(found.divergence <= 1);
  CHECK(found.variation <= 0.01);
  CHECK(found.weights[1] > 0.9);
  // What is said about the weights is true of them.
  const std::vector<double> given(attention.begin(), attention.end());
  CHECK(numerics::jensen_shannon_in_bits<double>(found.weights, given) == Approx(found.divergence));
  CHECK(numerics::total_variation<double>(text.answer(found.weights), text.answer(given)) ==
        Approx(found.variation));
}

TEST_CASE("the search turns back at the bound", "[visualising]") {
  // The same words; the third has half of the weight and must keep it. The way up leads beyond.
  const std::vector<float> states{2, 1, 2, 1, -2, 0}, output{3, -3, 1, -1, 0, 0};
  const Adversary found =
      find_adversary({states, output, 3, 2}, std::vector<float>{0.49F, 0.02F, 0.49F}, {}, 1);
  CHECK(found.divergence > 0.35);
  CHECK(found.variation <= 0.01);
  CHECK(found.weights[2] == Approx(0.49).margin(0.02));
}

TEST_CASE("where every word matters there is no other weighting", "[visualising]") {
  // Two classes, two words that tell the opposite: the answer gives the weights away.
  const std::vector<float> states{3, -3}, output{4, -4, 0, 0};
  const PooledText text{states, output, 2, 2};
  const Adversary found = find_adversary(text, std::vector<float>{0.5F, 0.5F}, {}, 1);
  CHECK(found.divergence < 0.01);
  CHECK(found.variation <= 0.01);
}

TEST_CASE("one word, no number and sizes that do not fit", "[visualising]") {
  const std::vector<float> states{1, 2}, output{1, 0, 0, 1, 0, 0};
  const Adversary one = find_adversary({states, output, 1, 2}, std::vector<float>{1}, {}, 1);
  CHECK(one.divergence == 0);
  CHECK(one.weights == std::vector<double>{1});
  const std::vector<float> bad{0.5F, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<float> narrow{1, 0, 0, 0};
  CHECK(refusal([&] {
          find_adversary({states, narrow, 2, 2}, bad, {}, 1);
        }) == "the weight of word 2 of 2 is not a number");
  CHECK_THROWS_AS(find_adversary({states, output, 2, 2}, std::vector<float>{0.5F, 0.5F}, {}, 1),
                  std::invalid_argument);
}

TEST_CASE("what is found about texts does not depend on their neighbours", "[visualising]") {
  record::EvidenceRecord record;
  record.classes = {"a", "b"};
  record.output = tensor::empty<2>({3, 2});
  const std::vector<float> output = normals(6, 3);
  std::copy(output.begin(), output.end(), record.output.data());
  record.texts = {{{"u", "v", "w"}, 0, {0.5F, 0.3F, 0.2F}, {0.3F, 0.2F, 0.1F}, {-3, 2, 1}},
                  {{"x"}, 1, {1}, {0.2F}, {1}},
                  {{"y", "z"}, 1, {0.5F, 0.5F}, {0.1F, 0.2F}, {0.1F, 0.3F}}};
  record.states = tensor::empty<2>({6, 2});
  const std::vector<float> states = normals(12, 4);
  std::copy(states.begin(), states.end(), record.states.data());
  const std::vector<TextFindings> found = examine(record, {.steps = 30}, 7);
  CHECK(*found[0].leave_one_out.tau == 1);
  CHECK(*found[0].gradient.tau == 1);  // by size: the first word's −3 is the largest
  CHECK(found[0].same_top);
  CHECK_FALSE(found[1].leave_one_out.tau);  // one word
  CHECK(found[1].shuffled_variation == 0);
  CHECK(found[1].single_same == 1);
  // Of three states, those whose own answer is the text's.
  const PooledText first{{record.states.data(), 6}, {record.output.data(), 6}, 3, 2};
  const bool told = first.answer(std::vector<double>{0.5, 0.3, 0.2})[0] > 0.5;
  double same = 0;
  for (const std::vector<double>& one : {std::vector<double>{1, 0, 0}, {0, 1, 0}, {0, 0, 1}})
    same += (first.answer(one)[0] > 0.5) == told ? 1.0 / 3 : 0;
  CHECK(found[0].single_same == Approx(same));
  CHECK_FALSE(found[2].leave_one_out.tau);  // equal weights
  CHECK(found[2].equal_variation == Approx(0).margin(1e-12));
  record::EvidenceRecord last = record;
  last.texts = {record.texts[2]};
  last.states = tensor::empty<2>({2, 2});
  std::copy_n(record.states.data() + 8, 4, last.states.data());
  CHECK(examine(last, {.steps = 30}, 9)[0].other.weights == found[2].other.weights);
}
