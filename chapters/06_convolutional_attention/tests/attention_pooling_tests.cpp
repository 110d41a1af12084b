// What attention pooling must do whatever the numbers, for every rung; and poolings that are wrong, which the check must catch.
#include <algorithm>
#include <cmath>
#include <limits>

#include "attention_pooling.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

AttentionPoolingProblem sample(const char* shape) {
  return make_attention_pooling(ladder::parse_shape(shape, attention_pooling().keys), 19, ladder::Hardness::plain);
}

/// What may be wrong with a rung.
enum class Fault {
  none,
  kept_maximum,       ///< a larger score later does not scale down what was gathered
  sigmoid_weights,    ///< weights that do not sum to 1
  last_place,         ///< the last place is not seen
};

/// One pass, a place at a time.
template <Fault fault>
void broken(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  prepare(p, out);
  const Index places = p.places() - (fault == Fault::last_place && p.places() > 1 ? 1 : 0);
  for (Index b = 0; b < p.batch(); ++b) {
    float largest = -std::numeric_limits<float>::infinity();
    float total = 0;
    float* y = out.output_of(b);
    float* score = out.weights_of(b);
    std::fill_n(y, p.channels(), 0.F);
    std::fill_n(score, p.places(), -std::numeric_limits<float>::infinity());
    for (Index i = 0; i < places; ++i) {
      score[i] = 0;
      for (Index c = 0; c < p.channels(); ++c) score[i] += p.weight.data()[c] * p.map_of(b, c)[i];
      const float next = std::max(largest, score[i]);
      const float keep = fault == Fault::kept_maximum ? 1 : std::exp(largest - next);
      const float e = std::exp(score[i] - next);
      largest = next;
      total = keep * total + e;
      for (Index c = 0; c < p.channels(); ++c) y[c] = keep * y[c] + e * p.map_of(b, c)[i];
    }
    if (fault == Fault::sigmoid_weights) total += 1;
    for (Index c = 0; c < p.channels(); ++c) y[c] /= total;
    for (Index i = 0; i < p.places(); ++i) score[i] = std::exp(score[i] - largest) / total;
  }
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(attention_pooling(), broken<fault>);
}

}  // namespace

TEST_CASE("attention_pooling: a score vector of zero gives the mean over the places", "[pooling]") {
  AttentionPoolingProblem p = sample("batch=3,channels=9,height=29,width=31");
  p.weight.fill(0);
  for_every_rung(attention_pooling(), [&](const auto& rung) {
    AttentionPoolingOutput out;
    rung.run(p, out);
    for (const float weight : out.weights) REQUIRE(std::abs(weight - 1.F / 899) < 1e-9F);
    for (Index b = 0; b < 3; ++b)
      for (Index c = 0; c < 9; ++c) {
        double mean = 0;
        for (Index i = 0; i < 899; ++i) mean += static_cast<double>(p.map_of(b, c)[i]) / 899;
        REQUIRE(std::abs(static_cast<double>(out.output_of(b)[c]) - mean) < 1e-6);
      }
  });
}

TEST_CASE("attention_pooling: one place far above all others is the output", "[pooling]") {
  AttentionPoolingProblem p = sample("batch=2,channels=7,height=40,width=33");
  p.weight.fill(0);
  p.weight(2) = 1;
  for (Index b = 0; b < 2; ++b) p.input.data()[(b * 7 + 2) * p.places() + 1000] = 500;
  for_every_rung(attention_pooling(), [&](const auto& rung) {
    AttentionPoolingOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 2; ++b)
      for (Index c = 0; c < 7; ++c) REQUIRE(out.output_of(b)[c] == p.map_of(b, c)[1000]);
  });
}

TEST_CASE("attention_pooling: moving the places about leaves the output as it is", "[pooling]") {
  const AttentionPoolingProblem p = sample("batch=2,channels=33,height=37,width=31");
  AttentionPoolingProblem q = p;
  const Index places = p.places();
  for (Index m = 0; m < 2 * 33; ++m)
    for (Index i = 0; i < places; ++i) q.input.data()[m * places + i] = p.input.data()[m * places + (i * 5 + 3) % places];
  for_every_rung(attention_pooling(), [&](const auto& rung) {
    AttentionPoolingOutput of_p;
    AttentionPoolingOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (std::size_t i = 0; i < of_p.output.size(); ++i)
      REQUIRE(std::abs(of_p.output.data()[i] - of_q.output.data()[i]) < 2e-6F);
  });
}

TEST_CASE("attention_pooling: the weights of every image sum to 1", "[pooling]") {
  const AttentionPoolingProblem p = sample("batch=3,channels=16,height=33,width=50");
  for_every_rung(attention_pooling(), [&](const auto& rung) {
    AttentionPoolingOutput out;
    rung.run(p, out);
    for (Index b = 0; b < 3; ++b) {
      double sum = 0;
      for (Index i = 0; i < p.places(); ++i) sum += static_cast<double>(out.weights_of(b)[i]);
      CHECK(std::abs(sum - 1) < 1e-5);
    }
  });
}

TEST_CASE("attention_pooling: NaN and infinity come out where the reference has them", "[pooling]") {
  const AttentionPoolingProblem plain = sample("batch=2,channels=6,height=40,width=33");
  std::vector<AttentionPoolingProblem> problems(4, plain);
  problems[0].input(1, 3, 39, 32) = std::numeric_limits<float>::quiet_NaN();
  problems[1].weight(2) = std::numeric_limits<float>::quiet_NaN();
  problems[2].input(0, 0, 3, 4) = std::numeric_limits<float>::infinity();
  problems[3].input(0, 0, 39, 4) = -std::numeric_limits<float>::infinity();
  for (const AttentionPoolingProblem& p : problems) {
    const auto trial = ladder::make_trial(attention_pooling(), p);
    for (std::size_t rung = 0; rung < attention_pooling().ladder.size(); ++rung) {
      INFO(attention_pooling().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("attention_pooling: the loop of these tests passes where nothing is wrong", "[pooling][broken]") {
  CHECK(fault_found<Fault::none>() == "");
}
TEST_CASE("attention_pooling: a maximum that is kept is caught", "[pooling][broken]") {
  CHECK_FALSE(fault_found<Fault::kept_maximum>().empty());
}
TEST_CASE("attention_pooling: weights that do not sum to 1 are caught", "[pooling][broken]") {
  CHECK_FALSE(fault_found<Fault::sigmoid_weights>().empty());
}
TEST_CASE("attention_pooling: a forgotten last place is caught", "[pooling][broken]") {
  CHECK_FALSE(fault_found<Fault::last_place>().empty());
}
