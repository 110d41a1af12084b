// What coordinate attention must do whatever the numbers: for every rung.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "catch.hpp"
#include "coordinate.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "machine/affinity.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

CoordinateProblem sample(const char* shape) {
  return make_coordinate(ladder::parse_shape(shape, coordinate().keys), 23, ladder::Hardness::plain);
}

}  // namespace

TEST_CASE("coordinate: weights of zero leave a quarter of the maps", "[coordinate]") {
  CoordinateProblem p = sample("batch=3,channels=37,height=19,width=11,reduction=4");
  for (Tensor<2>* weight : {&p.reduce_weight, &p.row_weight, &p.column_weight}) weight->fill(0);
  for (Tensor<1>* bias : {&p.reduce_bias, &p.row_bias, &p.column_bias}) bias->fill(0);
  for_every_rung(coordinate(), [&](const auto& rung) {
    CoordinateOutput out;
    rung.run(p, out);
    for (const float gate : out.row_gate) REQUIRE(gate == 0.5F);
    for (const float gate : out.column_gate) REQUIRE(gate == 0.5F);
    for (std::size_t i = 0; i < p.input.size(); ++i) REQUIRE(out.output.data()[i] == p.input.data()[i] / 4);
  });
}

TEST_CASE("coordinate: transposed maps with exchanged gates give the transposed answer", "[coordinate]") {
  const CoordinateProblem p = sample("batch=2,channels=12,height=23,width=70,reduction=2");
  CoordinateProblem q = p;
  q.input = xt::transpose(p.input, {0, 1, 3, 2});
  std::swap(q.row_weight, q.column_weight);
  std::swap(q.row_bias, q.column_bias);
  for_every_rung(coordinate(), [&](const auto& rung) {
    CoordinateOutput of_p;
    CoordinateOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    const Tensor<4> back = xt::transpose(of_q.output, {0, 1, 3, 2});
    REQUIRE(tests::largest_difference(of_p.output, back) < 5e-6F);
    REQUIRE(tests::largest_difference(of_p.row_gate, of_q.column_gate) < 2e-6F);
  });
}

TEST_CASE("coordinate: a place is seen by its row and its column and by no others", "[coordinate]") {
  const CoordinateProblem p = sample("batch=1,channels=10,height=20,width=37,reduction=1");
  CoordinateProblem q = p;
  q.input(0, 4, 6, 17) += 3;
  for_every_rung(coordinate(), [&](const auto& rung) {
    CoordinateOutput of_p;
    CoordinateOutput of_q;
    rung.run(p, of_p);
    rung.run(q, of_q);
    for (std::size_t c = 0; c < 10; ++c) {
      for (std::size_t i = 0; i < 20; ++i) REQUIRE((of_p.row_gate(0, c, i) != of_q.row_gate(0, c, i)) == (i == 6));
      for (std::size_t j = 0; j < 37; ++j) REQUIRE((of_p.column_gate(0, c, j) != of_q.column_gate(0, c, j)) == (j == 17));
    }
  });
}

TEST_CASE("coordinate: a place is multiplied by the gates of its row and its column", "[coordinate]") {
  const CoordinateProblem p = sample("batch=2,channels=5,height=9,width=35");
  for_every_rung(coordinate(), [&](const auto& rung) {
    CoordinateOutput out;
    rung.run(p, out);
    for (std::size_t b = 0; b < 2; ++b)
      for (std::size_t c = 0; c < 5; ++c)
        for (std::size_t i = 0; i < 9; ++i)
          for (std::size_t j = 0; j < 35; ++j)
            REQUIRE(std::abs(out.output(b, c, i, j) - p.input(b, c, i, j) * out.row_gate(b, c, i) * out.column_gate(b, c, j)) < 1e-6F);
  });
}

TEST_CASE("coordinate: an image's answer is the same whatever the batch", "[coordinate]") {
  const CoordinateProblem p = sample("batch=5,channels=21,height=37,width=41,reduction=4");
  const CoordinateProblem alone = take_images(p, std::array<Index, 1>{3});
  for_every_rung(coordinate(), [&](const auto& rung) {
    CoordinateOutput all;
    CoordinateOutput one;
    rung.run(p, all);
    rung.run(alone, one);
    CHECK(std::equal(one.output.begin(), one.output.end(), all.map_of(3, 0)));
  });
}

TEST_CASE("coordinate: NaN and infinity come out where the reference has them", "[coordinate]") {
  const CoordinateProblem plain = sample("batch=2,channels=20,height=9,width=21,reduction=2");
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<CoordinateProblem> problems(6, plain);
  problems[0].input(1, 3, 4, 8) = nan;
  problems[1].input(0, 19, 0, 0) = infinity;
  problems[2].reduce_weight(4, 2) = nan;
  problems[3].row_bias(7) = -infinity;
  problems[4].column_weight(2, 3) = nan;
  problems[5].reduce_bias(1) = -infinity;
  machine::use_threads(2);
  for (const CoordinateProblem& p : problems) {
    const auto trial = ladder::make_trial(coordinate(), p);
    for (std::size_t rung = 0; rung < coordinate().ladder.size(); ++rung) {
      INFO(coordinate().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("coordinate: h-swish is 0 below -3, the identity above 3, and keeps NaN", "[coordinate]") {
  CHECK(hard_swish(-3.F) == 0);
  CHECK(hard_swish(-50.F) == 0);
  CHECK(hard_swish(0.F) == 0);
  CHECK(hard_swish(3.F) == 3);
  CHECK(hard_swish(12.F) == 12);
  CHECK(hard_swish(1.F) == 4.F / 6);
  CHECK(std::isnan(hard_swish(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("coordinate: hidden channels are the published code's, the weights those of the tensors", "[coordinate]") {
  CHECK(coordinate_hidden(64, 32) == 8);
  CHECK(coordinate_hidden(512, 32) == 16);
  const CoordinateProblem p = sample("channels=40,height=2,reduction=4");
  CHECK(p.hidden() == 10);
  const std::size_t numbers = p.reduce_weight.size() + p.reduce_bias.size() + p.row_weight.size() + p.row_bias.size() +
                              p.column_weight.size() + p.column_bias.size();
  CHECK(coordinate_parameters(40, 4) == static_cast<Index>(numbers));
}
