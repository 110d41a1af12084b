// What self-attention must do whatever the numbers: for every rung. Where two answers are held against each other, each may be off
// by the bound that the ladder's check allows, and no more.
#include <algorithm>
#include <cmath>
#include <string>

#include "dot_product.hpp"
#include "helpers.hpp"
#include "program/error.hpp"
#include "rungs/projection.hpp"

using namespace attention;
using namespace attention::self_attention;
using namespace attention::self_attention::tests;

namespace {

/// What rounding alone may move in each array of a rung's answer: output, lse, weights.
struct Bounds {
  double output, lse, weights;
};

template <class Rung>
Bounds bounds_of(const Problem& p, const Reference& r, const Rung& rung) {
  const auto fields = mechanism(Kind::full).reference_fields(p, r, rung.blocks);
  return {fields[0].bound, fields[1].bound, fields[2].bound};
}

double apart(const auto& a, const auto& b) { return static_cast<double>(largest_difference(a, b)); }

/// The same tokens, standing so much later in their text.
Problem moved(const Problem& p, Index by) {
  Problem later = p;
  later.first_position += by;
  if (p.positions == Positions::learned) {
    // A longer table: its first rows are those there were, the later ones are others.
    later.position_table = tensor::empty<2>({static_cast<std::size_t>(p.n() + by), p.input.shape()[2]});
    for (std::size_t i = 0; i < later.position_table.size(); ++i)
      later.position_table.data()[i] = i < p.position_table.size() ? p.position_table.data()[i] : std::sin(static_cast<float>(i));
  }
  return later;
}

}  // namespace

TEST_CASE("self-attention: every head is chapter 2's attention on its projected Q, K and V", "[identity]") {
  for (const Kind kind : all_kinds)
    for (const char* heads : {"1", "3"}) {
      const Problem p = sample(kind, std::string("batch=2,n=61,dim=20,width=18,heads=") + heads, Positions::rotary);
      const Projected x = project(p, blocked_product, true);
      dot_product::Problem plain;
      const auto lay_out = [&](const float* rows, Tensor<4>& to) {
        to = tensor::empty<4>({x.query.shape()[0], x.query.shape()[2], x.query.shape()[1], x.query.shape()[3]});
        for (Index b = 0; b < p.batch(); ++b)
          for (Index h = 0; h < p.heads(); ++h)
            for (Index i = 0; i < p.n(); ++i)
              std::copy_n(rows + ((b * p.n() + i) * p.heads() + h) * p.dim(), p.dim(), to.data() + ((b * p.heads() + h) * p.n() + i) * p.dim());
      };
      lay_out(x.query.data(), plain.query);
      lay_out(x.key, plain.key);
      lay_out(x.value, plain.value);
      plain.scale = static_cast<float>(p.scale());
      plain.mask = p.mask;
      dot_product::Reference expected = dot_product::reference(plain);
      const Reference r = reference(p);
      for_every_rung([&](const auto& rung) {
        Output out;
        rung.run(p, out);
        double largest = 0;
        for (Index b = 0; b < p.batch(); ++b)
          for (Index h = 0; h < p.heads(); ++h)
            for (Index i = 0; i < p.n(); ++i)
              for (Index c = 0; c < p.dim(); ++c)
                largest = std::max(largest, std::abs(static_cast<double>(out.output_of(b, h, i)[c]) - expected.output_of(b, h)[i * p.dim() + c]));
        // The expected numbers come from Q, K and V in float32: they have a bound of their own.
        CHECK(largest <= 2 * bounds_of(p, r, rung).output);
      });
    }
}

TEST_CASE("self-attention: a two-sided window as long as the sequence is no mask", "[identity]") {
  const Problem p = sample(Kind::full, "n=150,heads=2,dim=20,width=12", Positions::linear_biases);
  for (const Index reach : {149, 1000}) {
    Problem windowed = p;
    windowed.mask = {reach, reach, 0};
    for_every_rung([&](const auto& rung) {
      Output a, b;
      rung.run(p, a);
      rung.run(windowed, b);
      CHECK(largest_difference(a.output, b.output) == 0);
      CHECK(largest_difference(a.lse, b.lse) == 0);
    });
  }
  Problem short_window = p;
  short_window.mask = {148, 148, 0};
  for_every_rung([&](const auto& rung) {
    Output a, b;
    rung.run(p, a);
    rung.run(short_window, b);
    CHECK(largest_difference(a.output, b.output) > 0);
  });
}

TEST_CASE("self-attention: rotary scores and linear biases depend on distances only: all positions moved change nothing", "[identity]") {
  for (const Kind kind : all_kinds)
    for (const Positions positions : all_positions)
      for (const Index by : {1, 1000}) {
        const Problem p = sample(kind, kind == Kind::window ? "n=90,heads=2,dim=24,width=18,window=16" : "n=90,heads=2,dim=24,width=18", positions);
        const Problem later = moved(p, by);
        const Reference r = reference(p);
        for_every_rung([&](const auto& rung) {
          INFO(mechanism(kind).name << ", " << positions_name(positions) << ", moved by " << by);
          Output a, b;
          rung.run(p, a);
          rung.run(later, b);
          if (adds_encoding(p)) {
            CHECK(largest_difference(a.output, b.output) > 1e-2F);
          } else if (positions == Positions::rotary) {
            const Bounds bounds = bounds_of(p, r, rung);
            CHECK(apart(a.output, b.output) <= 2 * bounds.output);
            CHECK(apart(a.lse, b.lse) <= 2 * bounds.lse);
            if (a.weights.shape()[0] != 0) CHECK(apart(a.weights, b.weights) <= 2 * bounds.weights);
            CHECK(largest_difference(a.output, b.output) > 0);  // other angles were taken
          } else {
            CHECK(largest_difference(a.output, b.output) == 0);
            CHECK(largest_difference(a.lse, b.lse) == 0);
          }
        });
      }
}

TEST_CASE("self-attention: with linear biases alone, a weight depends on the distance only, on both sides", "[identity]") {
  Problem p = sample(Kind::full, "n=60,heads=6,dim=8,width=8", Positions::linear_biases);
  p.query_weight.fill(0);
  const Reference r = reference(p);
  const std::vector<float> slopes = linear_bias_slopes(6);
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    if (out.weights.shape()[0] == 0) return;
    const double bound = 2 * bounds_of(p, r, rung).weights;
    double largest = 0;
    for (Index h = 0; h < 6; ++h)
      for (Index i = 0; i < 60; ++i)
        for (Index j = 0; j < 60; ++j) {
          const float* row = out.weights_of(0, h, i);
          const double expected = static_cast<double>(row[i]) * std::exp(-static_cast<double>(slopes[static_cast<std::size_t>(h)]) * static_cast<double>(std::abs(i - j)));
          largest = std::max(largest, std::abs(static_cast<double>(row[j]) - expected));
        }
    CHECK(largest <= bound);
  });
}

TEST_CASE("self-attention: learned positions are the rows of the table, added to X", "[identity]") {
  for (const Kind kind : all_kinds) {
    Problem p = sample(kind, "batch=2,n=50,heads=2,dim=12,width=10", Positions::learned);
    p = moved(p, 7);
    Problem added = p;
    added.positions = Positions::none;
    for (Index b = 0; b < 2; ++b)
      for (Index i = 0; i < 50; ++i)
        for (Index c = 0; c < 10; ++c) added.input.data()[(b * 50 + i) * 10 + c] += p.position_table.data()[(i + 7) * 10 + c];
    for_every_rung([&](const auto& rung) {
      Output a, b;
      rung.run(p, a);
      rung.run(added, b);
      CHECK(largest_difference(a.output, b.output) == 0);
      CHECK(largest_difference(a.lse, b.lse) == 0);
    });
  }
}

TEST_CASE("self-attention: a position beyond the table of learned ones is an error in every rung", "[identity]") {
  Problem p = sample(Kind::causal, "n=20,heads=2,dim=8,width=6", Positions::learned);
  p.first_position = 1;
  CHECK_THROWS_AS(reference(p), program::UserError);
  for_every_rung([&](const auto& rung) {
    Output out;
    CHECK_THROWS_AS(rung.run(p, out), program::UserError);
  });
  p.first_position = 0;
  p.position_table = tensor::empty<2>({20, 5});
  CHECK_THROWS_AS(reference(p), program::UserError);
  p.position_table = Tensor<2>();
  CHECK_THROWS_AS(reference(p), program::UserError);
  CHECK_THROWS_AS(make(Kind::causal, ladder::parse_shape("positions=5", mechanism(Kind::causal).keys), 1, ladder::Hardness::plain), program::UserError);
}
