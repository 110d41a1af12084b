// What the mask promises, for every rung.
#include <algorithm>
#include <limits>
#include <vector>

#include "helpers.hpp"
#include "ladder/publish.hpp"

using namespace attention;
using namespace attention::self_attention;
using namespace attention::self_attention::tests;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// Whether the outputs of positions first … last − 1 are the same to the last bit.
bool same_rows(Output& a, Output& b, Index first, Index last) {
  for (Index batch = 0; batch < a.batch(); ++batch) {
    const float* from = a.output_of(batch, 0, first);
    if (!std::equal(from, from + (last - first) * a.heads() * a.dim(), b.output_of(batch, 0, first))) return false;
  }
  return true;
}

Problem with_later_token(const Problem& p, Index token, float value) {
  Problem changed = p;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index c = 0; c < p.width(); ++c) changed.input.data()[(b * p.n() + token) * p.width() + c] = value;
  return changed;
}

}  // namespace

TEST_CASE("self-attention: a later token changes no bit of an earlier output", "[mask]") {
  for (const Kind kind : {Kind::causal, Kind::window})
    for (const Positions positions : all_positions) {
      const Problem p = sample(kind, "batch=2,n=150,heads=3,dim=24,width=20", positions);
      for_every_rung([&](const auto& rung) {
        Output a;
        rung.run(p, a);
        for (const float value : {3.F, not_a_number, std::numeric_limits<float>::infinity()})
          for (const Index token : {1, 100, 149}) {
            INFO(positions_name(positions) << ", token " << token << " becomes " << value);
            const Problem changed = with_later_token(p, token, value);
            Output b;
            rung.run(changed, b);
            CHECK(same_rows(a, b, 0, token));
            CHECK_FALSE(same_rows(a, b, token, token + 1));
          }
      });
    }
}

TEST_CASE("self-attention: a token that has left the window changes no bit", "[mask]") {
  const Problem p = sample(Kind::window, "n=300,heads=2,dim=32,width=16,window=40");
  for (const float value : {5.F, not_a_number}) {
    const Problem changed = with_later_token(p, 100, value);
    for_every_rung([&](const auto& rung) {
      Output a;
      Output b;
      rung.run(p, a);
      rung.run(changed, b);
      CHECK(same_rows(a, b, 0, 100));
      CHECK_FALSE(same_rows(a, b, 139, 140));
      CHECK(same_rows(a, b, 140, 300));
    });
  }
}

TEST_CASE("self-attention: a window as long as the sequence is the causal mask", "[mask]") {
  const std::string shape = "n=150,heads=2,dim=20,width=12";
  const Problem causal = sample(Kind::causal, shape, Positions::linear_biases);
  for (const char* window : {"150", "1000"}) {
    Problem p = sample(Kind::window, shape + ",window=" + window, Positions::linear_biases);
    for_every_rung([&](const auto& rung) {
      Output a;
      Output b;
      rung.run(causal, a);
      rung.run(p, b);
      CHECK(largest_difference(a.output, b.output) == 0);
      CHECK(largest_difference(a.lse, b.lse) == 0);
    });
  }
}

TEST_CASE("self-attention: a window of one token gives the token's own value", "[mask]") {
  const Problem p = sample(Kind::window, "n=70,heads=2,dim=40,width=8,window=1");
  const Reference r = reference(p);
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    for (Index i = 0; i < 70; ++i) CHECK(std::abs(static_cast<double>(out.output_of(0, 1, i)[3]) - r.output.data()[(i * 2 + 1) * 40 + 3]) < 1e-5);
    if (out.weights.shape()[0] != 0) CHECK(out.weights.data()[5] == 1);
  });
}

TEST_CASE("self-attention: a row that sees no key is zero", "[mask]") {
  Problem p = sample(Kind::full, "n=130,heads=2,dim=24,width=10");
  p.mask = Mask::causal(-50);  // position i sees keys up to i − 50
  for_every_rung([&](const auto& rung) {
    Output out;
    rung.run(p, out);
    for (Index h = 0; h < 2; ++h) {
      for (Index c = 0; c < 24; ++c) CHECK(out.output_of(0, h, 49)[c] == 0);
      CHECK(out.lse_of(0, h)[49] == -std::numeric_limits<float>::infinity());
    }
    CHECK(out.output_of(0, 0, 50)[0] != 0);
    const auto trial = ladder::make_trial(mechanism(Kind::full), p);
    const std::size_t index = static_cast<std::size_t>(&rung - mechanism(Kind::full).ladder.data());
    trial->run(index);
    INFO(trial->check(index, {}).fault);
    CHECK(trial->check(index, {}).passed);
  });
}

TEST_CASE("self-attention: NaN in a token comes out where the reference has it, and nowhere else", "[mask]") {
  for (const Kind kind : all_kinds)
    for (const Positions positions : all_positions)
      for (const float value : {not_a_number, std::numeric_limits<float>::infinity()}) {
        const Problem p = with_later_token(sample(kind, "batch=2,n=120,heads=2,dim=24,width=9", positions), 77, value);
        const auto trial = ladder::make_trial(mechanism(kind), p);
        for (std::size_t rung = 0; rung < mechanism(kind).ladder.size(); ++rung) {
          INFO(mechanism(kind).name << " / " << mechanism(kind).ladder[rung].name << ", " << positions_name(positions));
          trial->spoil();
          trial->run(rung);
          const ladder::CheckResult result = trial->check(rung, {});
          INFO(result.fault);
          CHECK(result.passed);
        }
      }
}

TEST_CASE("self-attention: a sample's rows are the whole's", "[mask]") {
  const std::vector<Index> runs{0, 3, 4, 20, 31};
  for (const Kind kind : all_kinds)
    for (const Positions positions : all_positions) {
      const Problem p = sample(kind, "batch=2,n=128,heads=2,dim=20,width=16", positions);
      const auto whole = ladder::make_trial(mechanism(kind), p);
      REQUIRE(whole->rows() == 32);
      const auto part = whole->take_rows(runs);
      for (std::size_t rung = 0; rung < mechanism(kind).ladder.size(); ++rung) {
        INFO(mechanism(kind).name << " / " << mechanism(kind).ladder[rung].name << ", " << positions_name(positions));
        whole->run(rung);
        CHECK(whole->check(rung, runs).passed);
        part->run(rung);
        const ladder::CheckResult result = part->check(rung, {});
        INFO(result.fault);
        CHECK(result.passed);
      }
      // Its work is its share of the whole, when all see all.
      if (kind == Kind::full) CHECK(std::abs(part->cost().flops * 32 / 5 / whole->cost().flops - 1) < 1e-9);
    }
}
