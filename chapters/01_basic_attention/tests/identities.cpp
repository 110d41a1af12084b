// What additive attention must do whatever the numbers: for every rung.
#include <algorithm>
#include <cmath>
#include <limits>

#include "additive.hpp"
#include "catch.hpp"
#include "ladder/publish.hpp"
#include "machine/affinity.hpp"

using namespace attention;
using namespace attention::additive;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

Problem sample(const char* shape) {
  return make(ladder::parse_shape(shape, mechanism().keys), 11, ladder::Hardness::plain);
}

template <class Tensor>
float largest_difference(const Tensor& a, const Tensor& b) {
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float difference = std::abs(a.data()[i] - b.data()[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/// Runs the body for every rung of the ladder, with two threads.
template <class Body>
void for_every_rung(Body body) {
  machine::use_threads(2);
  for (const auto& rung : mechanism().ladder) {
    INFO(rung.name);
    body(rung);
  }
}

}  // namespace

TEST_CASE("additive: Keras's unit vector", "[identity]") {
  Problem p;
  p.query = Tensor<2>{{1, 0}, {0, 1}};
  p.key = Tensor<2>{{0, 1}, {1, 0}};
  p.value = Tensor<2>{{1, 2}, {3, 4}};
  p.W = p.U = Tensor<2>{{1, 0}, {0, 1}};
  p.v = Tensor<1>{1, 1};
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    const float expected[] = {1.7275F, 2.7275F, 2.2725F, 3.2725F};
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(out.output.data()[i] - expected[i]) < 1e-4F);
    if (out.weights.shape()[0] != 0) {
      CHECK(std::abs(out.weights.data()[0] - 0.6363F) < 1e-4F);
      CHECK(std::abs(out.weights.data()[1] - 0.3637F) < 1e-4F);
    }
  });
}

TEST_CASE("additive: the reference's score is vᵀ tanh(W q + U k) as the standard library has it", "[identity]") {
  // One key: the log-sum-exp is its score.
  Problem p = sample("queries=1,keys=1,hidden=1,dim=1,value_dim=1");
  p.W.data()[0] = p.U.data()[0] = p.v.data()[0] = p.query.data()[0] = 1;
  for (const float x : {-1e30F, -400.F, -20.F, -3.F, -1e-8F, 0.F, 1e-30F, 1e-4F, 0.1F, 0.7F, 5.F, 19.F, 30.F, 1e10F, infinite, -infinite}) {
    p.key.data()[0] = x;
    CHECK(std::abs(reference(p).lse.data()[0] - std::tanh(1 + static_cast<double>(x))) < 4e-16);
  }
}

TEST_CASE("additive: keys and values permuted together change nothing", "[identity]") {
  const Problem p = sample("queries=19,keys=70,hidden=21,dim=12,value_dim=9");
  Problem permuted = p;
  for (Index j = 0; j < 70; ++j) {
    const Index from = (j * 37 + 5) % 70;
    std::copy_n(p.key.data() + from * 12, 12, permuted.key.data() + j * 12);
    std::copy_n(p.value.data() + from * 9, 9, permuted.value.data() + j * 9);
  }
  for_every_rung([&](const auto& rung) {
    Output a;
    Output b;
    rung.run(p, a);
    rung.run(permuted, b);
    CHECK(largest_difference(a.output, b.output) < 2e-6F);
  });
}

TEST_CASE("additive: equal keys give the mean of the values", "[identity]") {
  const Problem p = make(ladder::parse_shape("queries=5,keys=301,hidden=7,value_dim=3", mechanism().keys), 3, ladder::Hardness::equal_keys);
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    for (Index c = 0; c < 3; ++c) {
      double mean = 0;
      for (Index j = 0; j < 301; ++j) mean += static_cast<double>(p.value.data()[j * 3 + c]) / 301;
      for (Index i = 0; i < 5; ++i) CHECK(std::abs(static_cast<double>(out.output.data()[i * 3 + c]) - mean) < 1e-6);
    }
  });
}

TEST_CASE("additive: one key gets all, and its score is the log-sum-exp", "[identity]") {
  const Problem p = sample("queries=33,keys=1,hidden=10,dim=5,value_dim=17");
  const Reference exact = reference(p);
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    for (Index i = 0; i < 33; ++i) {
      for (Index c = 0; c < 17; ++c) REQUIRE(out.output.data()[i * 17 + c] == p.value.data()[c]);
      REQUIRE(std::abs(static_cast<double>(out.lse.data()[i]) - exact.lse.data()[i]) < 1e-5);
    }
  });
}

TEST_CASE("additive: a hidden unit that is saturated for all keys shifts the scores: lse alone changes", "[identity]") {
  // The last entry of every query is 1, and only hidden unit 5 looks at it.
  Problem p = sample("queries=9,keys=40,hidden=6,dim=8,value_dim=4");
  for (Index i = 0; i < 9; ++i) p.query.data()[i * 8 + 7] = 1;
  for (Index h = 0; h < 6; ++h) p.W.data()[h * 8 + 7] = 0;
  std::fill_n(p.W.data() + 5 * 8, 8, 0.F);
  p.W.data()[5 * 8 + 7] = 1000;
  p.v.data()[5] = 0;
  Problem shifted = p;
  shifted.v.data()[5] = 7;
  for_every_rung([&](const auto& rung) {
    Output a;
    Output b;
    rung.run(p, a);
    rung.run(shifted, b);
    CHECK(largest_difference(a.output, b.output) < 5e-6F);
    for (Index i = 0; i < 9; ++i) CHECK(std::abs(b.lse.data()[i] - a.lse.data()[i] - 7) < 1e-5F);
  });
}

TEST_CASE("additive: tanh is odd, so W, U and v may all change their sign", "[identity]") {
  const Problem p = sample("queries=14,keys=45,hidden=19,dim=6,value_dim=5");
  Problem turned = p;
  turned.W *= -1;
  turned.U *= -1;
  turned.v *= -1;
  for_every_rung([&](const auto& rung) {
    Output a;
    Output b;
    rung.run(p, a);
    rung.run(turned, b);
    CHECK(largest_difference(a.output, b.output) < 2e-6F);
    CHECK(largest_difference(a.lse, b.lse) < 5e-6F);
  });
}

TEST_CASE("additive: parts over the keys, merged by their lse, are the whole", "[identity]") {
  const Problem p = sample("queries=13,keys=100,hidden=16,dim=16,value_dim=6");
  const auto part = [&p](Index first, Index count) {
    Problem some = p;
    some.key = tensor::empty<2>({static_cast<std::size_t>(count), 16});
    some.value = tensor::empty<2>({static_cast<std::size_t>(count), 6});
    std::copy_n(p.key.data() + first * 16, count * 16, some.key.data());
    std::copy_n(p.value.data() + first * 6, count * 6, some.value.data());
    return some;
  };
  for_every_rung([&](const auto& rung) {
    Output whole;
    Output a;
    Output b;
    rung.run(p, whole);
    rung.run(part(0, 37), a);
    rung.run(part(37, 63), b);
    for (Index i = 0; i < 13; ++i) {
      const float weight = 1 / (1 + std::exp(b.lse.data()[i] - a.lse.data()[i]));
      for (Index c = 0; c < 6; ++c) {
        const float merged = weight * a.output.data()[i * 6 + c] + (1 - weight) * b.output.data()[i * 6 + c];
        CHECK(std::abs(merged - whole.output.data()[i * 6 + c]) < 2e-6F);
      }
    }
  });
}

TEST_CASE("additive: NaN, infinities and huge numbers come out where the reference has them", "[identity]") {
  const Problem plain = sample("queries=30,keys=300,hidden=9,dim=20,value_dim=35");
  std::vector<Problem> problems(11, plain);
  problems[0].query.data()[7 * 20 + 3] = not_a_number;
  problems[1].query.data()[7 * 20 + 3] = infinite;
  problems[2].key.data()[299 * 20] = not_a_number;
  problems[3].key.data()[299 * 20] = infinite;
  problems[4].value.data()[35 * 270 + 34] = not_a_number;
  problems[5].value.data()[0] = -infinite;
  problems[6].v.data()[4] = infinite;
  problems[7].v.data()[4] = -infinite;
  problems[8].v.data()[8] = not_a_number;
  problems[9].U.data()[2 * 20 + 1] = -infinite;
  for (Index c = 0; c < 20; ++c) problems[10].query.data()[7 * 20 + c] *= 1e30F;
  for (const Problem& p : problems) {
    const auto trial = ladder::make_trial(mechanism(), p);
    for (std::size_t rung = 0; rung < mechanism().ladder.size(); ++rung) {
      INFO(mechanism().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
